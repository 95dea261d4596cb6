"""Tell an author about comments: at once in the inbox, and once an hour by e-mail."""

from datetime import timedelta

from pydantic import BaseModel

from novukit import Context, workflow


class Comment(BaseModel):
    post_id: str
    post_title: str
    commenter: str
    text: str


@workflow("comment-on-post", name="Comment on your post", tags=["social"])
async def comment_on_post(ctx: Context[Comment]) -> None:
    step, comment = ctx.step, ctx.payload

    await step.in_app(
        "inbox",
        subject=f"{comment.commenter} commented on {comment.post_title}",
        body=comment.text,
        redirect=f"/posts/{comment.post_id}",
    )

    comments = await step.digest("hourly", window=timedelta(hours=1), key=comment.post_id)

    await step.email(
        "email",
        subject=f"{len(comments)} new on {comment.post_title}",
        template="comments.html",
        variables={"post": comment.post_title, "url": f"/posts/{comment.post_id}", "comments": comments.payloads},
        unless_seen="inbox",
    )
