"""The notifications of this project: each workflow is an async function, each step is remembered."""

from pydantic import BaseModel

from novukit import Context, workflow


class Welcome(BaseModel):
    """What a trigger must bring along. A field without a default is required: `plan: str`."""

    name: str = "there"


@workflow("welcome", name="Welcome")
async def welcome(ctx: Context[Welcome]) -> None:
    step, name = ctx.step, ctx.payload.name

    await step.in_app("hello", subject="Welcome", body=f"Good to have you here, {name}.")

    await step.email("email", subject="Welcome", template="welcome.html", variables={"name": name})
