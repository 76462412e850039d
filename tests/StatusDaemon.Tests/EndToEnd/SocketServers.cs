namespace StatusDaemon.EndToEnd;

/// <summary>A server for the tests of one of the two ways to a socket, with limits as they come but for the rate of messages.</summary>
public abstract class SocketServer(bool tls) : SharedServer("SERVICE: { limits: { messages: 1000000 } }\nLOG: { level: debug }", tls);

/// <summary>Sockets that have left Kestrel.</summary>
public sealed class PlainServer() : SocketServer(tls: false);

/// <summary>Sockets that Kestrel keeps, for TLS.</summary>
public sealed class SecureServer() : SocketServer(tls: true);

/// <summary>Tests that share the one.</summary>
[CollectionDefinition]
public sealed class PlainSockets : ICollectionFixture<PlainServer>;

/// <summary>Tests that share the other.</summary>
[CollectionDefinition]
public sealed class SecureSockets : ICollectionFixture<SecureServer>;
