"""The one error that a user can cause and mend."""


class UserError(Exception):
    """A mistake outside the program: the message is one line that names the thing and the remedy.

    The command line prints it without a traceback and exits with 2.
    """


class NotAtHand(UserError):
    """Data that is asked for cannot be reached from here; other data may be."""
