"""A client of status-daemon, written from docs/protocol.md alone.

It does what standard input says, a command a line, and prints what comes of it, a line each:

    connect         the upgrade: "101 proved" or "101 unproved", or the refusal with its words
    send TEXT       one text message; whatever the server sends is printed as it comes
    get PATH        one request: status, whether the server proved itself, body
    storm N PATH    N requests at once: how often each status came
    close           "closed CODE", which is also printed when the server closes
"""
import argparse, asyncio, base64, collections, ssl, sys
import aiohttp


class RawKerberos:
    """One proof of who we are, for one request (section 2.2), by python3-kerberos."""

    def __init__(self, service):
        import kerberos
        self.library = kerberos
        _, self.context = kerberos.authGSSClientInit(service)
        kerberos.authGSSClientStep(self.context, "")
        self.token = kerberos.authGSSClientResponse(self.context)

    def proves(self, answer):
        return self.library.authGSSClientStep(self.context, answer) == self.library.AUTH_GSS_COMPLETE


class Spnego:
    """The same by python3-gssapi, wrapped in SPNEGO."""

    def __init__(self, service):
        import gssapi
        self.context = gssapi.SecurityContext(
            name=gssapi.Name(service, gssapi.NameType.hostbased_service), mech=gssapi.OID.from_int_seq("1.3.6.1.5.5.2"),
            flags=gssapi.RequirementFlag.mutual_authentication, usage="initiate")
        self.token = base64.b64encode(self.context.step()).decode()

    def proves(self, answer):
        self.context.step(base64.b64decode(answer))
        return self.context.complete


class Client:
    def __init__(self, options):
        self.options = options
        self.ssl = ssl.create_default_context(cafile=options.ca) if options.ca else None
        self.upgrading = self.socket = self.listening = None
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self.answered)
        self.session = aiohttp.ClientSession(trace_configs=[trace])

    def login(self):
        return (Spnego if self.options.spnego else RawKerberos)(self.options.service)

    @staticmethod
    def headers(login):
        return {"Authorization": "Negotiate " + login.token}

    async def connect(self):
        self.upgrading = login = self.login()
        try:
            self.socket = await self.session.ws_connect(self.options.url + "/pubsub", headers=self.headers(login), ssl=self.ssl)
            self.listening = asyncio.create_task(self.listen())
        except aiohttp.WSServerHandshakeError:
            pass  # "answered" has said so
        finally:
            self.upgrading = None

    async def answered(self, _session, _context, params):
        """Sees the answer to an upgrade before aiohttp makes a socket or an exception of it."""
        if self.upgrading is not None:
            answer = params.response
            say(answer.status, proof(self.upgrading, answer) if answer.status == 101 else (await answer.text()).rstrip("\n"))

    async def listen(self):
        async for message in self.socket:
            say(message.data)
        say("closed", self.socket.close_code)

    async def get(self, path):
        login = self.login()
        async with self.session.get(self.options.url + path, headers=self.headers(login), ssl=self.ssl) as answer:
            return answer.status, proof(login, answer), (await answer.text()).rstrip("\n")

    async def storm(self, count, path):
        answers = await asyncio.gather(*[self.get(path) for _ in range(count)])
        return collections.Counter(status for status, _, _ in answers)

    async def obey(self, line):
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "connect":
            await self.connect()
        elif word == "send":
            await self.socket.send_str(rest)
        elif word == "get":
            say(*await self.get(rest))
        elif word == "storm":
            count, path = rest.split(" ")
            say(*[f"{status}={times}" for status, times in sorted((await self.storm(int(count), path)).items())])
        elif word == "close":
            self.listening.cancel()  # aiohttp waits for the server's close frame only where nobody else reads
            await asyncio.wait([self.listening])
            await self.socket.close()
            say("closed", self.socket.close_code)
        else:
            raise ValueError(line)


def say(*words):
    print(*words, flush=True)


def proof(login, answer):
    scheme, _, token = answer.headers.get("WWW-Authenticate", "").partition(" ")
    return "proved" if scheme == "Negotiate" and token and login.proves(token) else "unproved"


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url", help="such as http://localhost:8080")
    parser.add_argument("--service", default="HTTP@localhost")
    parser.add_argument("--spnego", action="store_true")
    parser.add_argument("--ca", help="certificate of the server's authority")
    options = parser.parse_args()

    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    client = Client(options)
    async with client.session:
        while line := await lines.readline():
            await client.obey(line.decode())


asyncio.run(main())
