"""Who may do what on the tests' Hub, and the answers of the real one to who may not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub_store import Refused, Store


@dataclass(frozen=True)
class User:
    """The owner of a token.

    Attributes:
        name: Also the name of what is theirs.
        roles: Organisation -> `write` or `read`.
    """

    name: str
    roles: Mapping[str, str] = field(default_factory=dict)

    def may(self, owner: str, *, write: bool) -> bool:
        """Tell whether the user may read, or write, what an owner keeps private."""
        role = "write" if owner == self.name else self.roles.get(owner)
        return role == "write" or (role == "read" and not write)


TOKENS = {
    "hf_writer": User("writer", {"acme": "write"}),
    "hf_reader": User("reader", {"acme": "read"}),
    "hf_outsider": User("outsider"),
}


def user_of(authorization: str | None) -> User | None:
    """Return whose token a request bears; None where it bears none.

    Raises:
        Refused: Nobody has this token.
    """
    if not authorization:
        return None
    user = TOKENS.get(authorization.removeprefix("Bearer ").strip())
    if user is None:
        raise Refused(401, "Invalid credentials in Authorization header")
    return user


def named_user(authorization: str | None) -> User:
    """Return whose token a request bears.

    Raises:
        Refused: It bears none, or an unknown one.
    """
    user = user_of(authorization)
    if user is None:
        raise Refused(401, "Invalid username or password.")
    return user


def repository_for(
    store: Store, kinds: str, name: str, user: User | None, *, write: bool = False
) -> dict[str, Any]:
    """Return the state of a repository that a user may read, or write.

    Raises:
        Refused: There is none, or not for this user; which of the two is not told.
    """
    state = store.load(kinds, name)
    owner = name.partition("/")[0]
    seen = state is not None and (
        not state["private"] or (user is not None and user.may(owner, write=False))
    )
    if state is None or not seen:
        if user is None:
            raise Refused(401, "Invalid username or password.", "RepoNotFound")
        raise Refused(404, "Repository not found", "RepoNotFound")
    if write and user is None:
        raise Refused(401, "Invalid username or password.")
    if write and user is not None and not user.may(owner, write=True):
        raise Refused(403, f"You don't have the rights to write to {name}")
    return state
