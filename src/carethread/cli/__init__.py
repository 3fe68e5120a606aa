"""The command line: `carethread <noun> <verb>`. One file per noun; `application` holds them together."""


def main() -> None:
    """Run the command line with the process's arguments, and exit."""
    from carethread.cli.application import application  # noqa: PLC0415 - importing the package stays free

    application()
