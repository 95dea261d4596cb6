"""Welcome who has just signed up, and nudge once those who did not come back."""

from datetime import timedelta

from pydantic import BaseModel

from novukit import Action, Context, Redirect, workflow


class Signup(BaseModel):
    name: str
    interest: str = "everything"


class Tip(BaseModel):
    title: str
    url: str


async def pick_tip(interest: str) -> Tip:
    """Find a first thing to try: from a database, say. What it returns is kept, and not asked for again."""
    return Tip(title=f"Five minutes with {interest}", url=f"https://app.example/start/{interest}")


@workflow("welcome-aboard", name="Welcome aboard", tags=["onboarding"])
async def welcome_aboard(ctx: Context[Signup]) -> None:
    step, signup = ctx.step, ctx.payload

    tip = await step.custom("pick-tip", pick_tip, signup.interest)

    await step.in_app(
        "hello",
        subject=f"Welcome, {signup.name}",
        body=f"A good place to begin: {tip.title}.",
        primary_action=Action(label="Begin", redirect=Redirect(url=tip.url)),
    )

    await step.email(
        "welcome",
        subject=f"Welcome, {signup.name}",
        preheader="One small thing to try first.",
        template="welcome-aboard.html",
        variables={"name": signup.name, "tip": tip},
    )

    await step.delay("two-days", timedelta(days=2))

    await step.email(
        "nudge",
        subject="Shall we begin?",
        template="nudge.html",
        variables={"name": signup.name, "tip": tip},
        unless_seen="hello",
    )
