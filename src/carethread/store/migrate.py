"""The schema's version, and the way from an older one to this one.

Alembic does the work. It is loaded only when there is work: opening an up-to-date database costs one query.
"""

from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, event, inspect

from carethread.errors import SchemaError

HEAD = "0009"
# Any number will do, as long as nobody else in the database uses it.
_ADVISORY_LOCK = 0x6361726574687265
_FOLDER = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Make the tables, or bring those of an older version up to date.

    Raises:
        SchemaError: the tables are of a version this program does not know.
    """
    scheme, _, rest = url.partition(":")
    engine = create_engine(url if scheme == "sqlite" else f"postgresql+psycopg:{rest}", poolclass=NullPool)
    if scheme == "sqlite":
        # Left to itself the driver commits before each CREATE TABLE; a crash would leave half a schema.
        event.listen(engine, "connect", lambda driver, _: setattr(driver, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        if scheme != "sqlite":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        if _version(connection) != HEAD:
            _migrate(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return version


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - slow to load and rarely needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    version = _version(connection)
    known = {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise SchemaError(f"the database has schema {version}; this program knows up to {HEAD}: use a newer Carethread")
    command.upgrade(config, HEAD)
