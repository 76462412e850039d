using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Metadata;
using Orleans.Serialization;
using Orleans.Serialization.Invocation;
using Orleans.Serialization.TypeSystem;
using StatusDaemon.Settings;

namespace StatusDaemon.Cluster;

/// <summary>What the engine writes around our messages. Two releases in one cluster have to agree on it: a name that changes here cuts the one off from the other.</summary>
public sealed class EngineNamesTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly IHost host;

    public EngineNamesTests()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.AddSilo(TestSilo.Setup(), silo => silo.UseLocalhostClustering(), MemberCertificates.Open(folder.Path, DateTimeOffset.UtcNow));
        host = builder.Build();
    }

    public void Dispose()
    {
        host.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void A_shard_and_what_it_and_a_gateway_are_called_with_keep_their_names()
    {
        var interfaces = host.Services.GetRequiredService<GrainInterfaceTypeResolver>();
        var types = host.Services.GetRequiredService<TypeConverter>();

        Assert.Equal("statusd.shard", host.Services.GetRequiredService<GrainTypeResolver>().GetGrainType(typeof(ShardGrain)).ToString());
        Assert.Equal("statusd.shard", interfaces.GetGrainInterfaceType(typeof(IShardGrain)).ToString());
        Assert.Equal("statusd.gateway", interfaces.GetGrainInterfaceType(typeof(IGatewayObserver)).ToString());
        Assert.Equal(
            [
                """("inv",[GrainRef],[statusd.gateway],"deliver")""",
                """("inv",[GrainRef],[statusd.shard],"follow")""",
                """("inv",[GrainRef],[statusd.shard],"leave")""",
                """("inv",[GrainRef],[statusd.shard],"take")""",
            ],
            typeof(IShardGrain).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(IInvokable))).Select(type => types.Format(type)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_travels_around_a_message_keeps_its_form()
    {
        var serializer = host.Services.GetRequiredService<Serializer>();
        var message = new Payload([1, 2, 3]);

        Assert.Equal("<30 01>p<20 88 9e 1f>statusd.message<40 07 01 02 03 e0>", Readable(serializer.SerializeToArray<object>(message)));
        Assert.Equal(
            "<30 01 a5 1d bd 60 a9>Orleans.Serialization.Invocation.Response<60 31 5b 5b>statusd.message<5d 5d 2c>Orleans.Serialization<20 40 07 01 02 03 e0 e0>",
            Readable(serializer.SerializeToArray<object>(Response.FromResult(message))));
    }

    /// <summary>Letters as they are, and between them the bytes.</summary>
    private static string Readable(byte[] bytes) =>
        string.Concat(bytes.Select(value => char.IsAscii((char)value) && (char.IsLetter((char)value) || value == '.') ? $"{(char)value}" : $"<{value:x2}>")).Replace("><", " ", StringComparison.Ordinal);
}
