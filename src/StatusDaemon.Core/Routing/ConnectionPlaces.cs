using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>The process' table of connections, by the ids that routers are told.</summary>
internal static class ConnectionPlaces
{
    extension(ConnectionTable connections)
    {
        public int Hold(ConnectionId id, Uid subscriber) => connections.Hold(id.Gateway.Value, id.Number, subscriber);

        public int Find(ConnectionId id) => connections.Find(id.Gateway.Value, id.Number);

        public ConnectionId IdOf(int place) => new(new GatewayId(connections.GatewayOf(place)), connections.NumberOf(place));
    }
}
