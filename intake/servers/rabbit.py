"""A real RabbitMQ node of our own: own name, data, ports and cookie, on the loopback alone.

Strategy: Debian's wrapper in /usr/sbin changes the user, so the script beside the release is started. The runtime's
port mapper (epmd) listens on all interfaces and would be shared with other nodes; ours is started by us, on loopback
and on a port of its own, and so the node's name need not be unique on this machine.
"""

import asyncio
import os
import secrets
import shutil
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import aiohttp
import msgspec

from intake.servers.errors import ServerFailed, ServerMissing
from intake.servers.processes import (
    LOOPBACK,
    Process,
    alive,
    answers,
    free_port,
    is_taken,
    kill_group,
    known,
    put_aside,
    spawn,
    stop,
)
from intake.servers.state import Broker

PATIENCE = 60.0
TRIES = 3  #: with other ports, where somebody took one meanwhile
NODE = "intake@localhost"
DEBIAN = Path("/usr/lib/rabbitmq/lib")
Ports = tuple[int, int, int, int]


class Login(msgspec.Struct, frozen=True):
    """The node's own administrator; generated with the data folder and kept with it."""

    user: str
    password: str


def url(server: Broker) -> str:
    """The address to give to an AMQP client; the virtual host is appended by who knows it."""
    return f"amqp://{server.user}:{server.password}@{LOOPBACK}:{server.port}/"


def management_url(server: Broker) -> str:
    """The base address of the management API, with credentials."""
    return f"http://{server.user}:{server.password}@{LOOPBACK}:{server.management_port}"


def program() -> str:
    """The rabbitmq-server script to start."""
    debian = sorted(DEBIAN.glob("*/sbin/rabbitmq-server"))
    found = str(debian[-1]) if debian else shutil.which("rabbitmq-server")
    if found is None:
        raise ServerMissing(
            "找不到 RabbitMQ：请运行 apt-get install rabbitmq-server，或设置 AMQP_URL（及 AMQP_MANAGEMENT_URL） / "
            "No RabbitMQ: run `apt-get install rabbitmq-server`, or set AMQP_URL (and AMQP_MANAGEMENT_URL)."
        )
    return found


async def running(server: Broker | None) -> bool:
    """Whether the one we remember still answers."""
    return server is not None and alive(server.process) and await answers(server.port)


async def start(folder: Path, wanted: Ports) -> Broker:
    """Start the node on this folder and wait until its queues and its management API answer."""
    for _ in range(TRIES - 1):
        ports = _ports(wanted)
        try:
            return await _start(folder, ports)
        except ServerFailed:
            if not is_taken(ports):
                raise
    return await _start(folder, _ports(wanted))


async def _start(folder: Path, ports: Ports) -> Broker:
    server = program()
    data = folder / "broker"
    data.mkdir(parents=True, exist_ok=True)
    login = _login(data)
    log = put_aside(folder / "broker.log")
    _configure(data, login, ports)
    environment = _environment(data, ports)
    (data / "pid").unlink(missing_ok=True)
    epmd = await _start_epmd(environment, ports[3], log, folder / "epmd.process")
    leader = await spawn([server], environment, log, folder / "broker.process")
    try:
        async with asyncio.timeout(PATIENCE):
            process = await _until_ready(data, leader, login, ports, log)
    except TimeoutError as timeout:
        _end(leader, epmd)
        raise ServerFailed("rabbitmq-server", log) from timeout
    except BaseException:
        _end(leader, epmd)
        raise
    return Broker(process, epmd, *ports, user=login.user, password=login.password)


async def end(server: Broker, grace: float) -> None:
    """Stop the node and its port mapper; what is confirmed is on disk, so a node that dawdles may be killed."""
    await stop(server.process, grace)
    if alive(server.epmd):
        await stop(server.epmd, 0.5)


def _login(data: Path) -> Login:
    path = data / "login.json"
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Login)
    login = Login("intake", secrets.token_urlsafe(18))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(login))
    return login


def _ports(wanted: Ports) -> Ports:
    while len(set(found := [free_port(each) for each in wanted])) < len(wanted):
        pass  # one was drawn twice
    port, management, distribution, epmd = found
    return port, management, distribution, epmd


def _configure(data: Path, login: Login, ports: Ports) -> None:
    (data / "enabled_plugins").write_text("[rabbitmq_management].\n")
    lines = [
        f"listeners.tcp.1 = {LOOPBACK}:{ports[0]}",
        f"management.tcp.ip = {LOOPBACK}",
        f"management.tcp.port = {ports[1]}",
        f"default_user = {login.user}",
        f"default_pass = {login.password}",
        "default_user_tags.administrator = true",
        # Half a gigabyte of write-ahead log is for clusters; one machine shares its memory with MongoDB.
        "raft.wal_max_size_bytes = 67108864",
        "log.file.level = warning",
        "log.console = false",
    ]
    settings = data / "rabbitmq.conf"
    settings.touch(0o600)
    settings.write_text("\n".join(lines) + "\n")


def _environment(data: Path, ports: Ports) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
    # Whatever an administrator set for the machine's own node must not reach ours.
    nothing = data / "rabbitmq-env.conf"
    nothing.touch()
    return inherited | {
        "HOME": str(data),  # the cookie lives there
        "RABBITMQ_CONF_ENV_FILE": str(nothing),
        "RABBITMQ_NODENAME": NODE,
        "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(data / "data"),
        "RABBITMQ_LOG_BASE": str(data / "log"),
        "RABBITMQ_PID_FILE": str(data / "pid"),
        "RABBITMQ_DIST_PORT": str(ports[2]),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_CRASH_DUMP": str(data / "crash.dump"),  # else it lies wherever the command runs
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "ERL_EPMD_PORT": str(ports[3]),
    }


async def _start_epmd(environment: Mapping[str, str], port: int, log: Path, note: Path) -> Process:
    epmd = shutil.which("epmd")
    if epmd is None:
        raise ServerMissing(
            "找不到 Erlang 的 epmd：请安装 erlang-base / No epmd of Erlang on the PATH: install erlang-base."
        )
    return await spawn([epmd, "-address", LOOPBACK, "-port", str(port)], environment, log, note)


async def _until_ready(data: Path, leader: Process, login: Login, ports: Ports, log: Path) -> Process:
    login_header = {"Authorization": aiohttp.encode_basic_auth(login.user, login.password)}
    async with aiohttp.ClientSession(headers=login_header) as session:
        while not await _ready(session, ports):
            if not alive(leader):
                raise ServerFailed("rabbitmq-server", log)
            await asyncio.sleep(0.1)
    return _node(data, leader)


async def _ready(session: aiohttp.ClientSession, ports: Ports) -> bool:
    """The AMQP listener opens last, when plugins and queues are up."""
    if not await answers(ports[0]):
        return False
    try:
        async with session.get(f"http://{LOOPBACK}:{ports[1]}/api/whoami") as answer:
            return answer.status == HTTPStatus.OK
    except aiohttp.ClientError:
        return False


def _node(data: Path, leader: Process) -> Process:
    """The node itself, which the started script waits for: what a person would kill is what we watch."""
    try:
        return known(int((data / "pid").read_text()), leader.group) or leader
    except (OSError, ValueError):
        return leader


def _end(leader: Process, epmd: Process) -> None:
    kill_group(leader)
    kill_group(epmd)
