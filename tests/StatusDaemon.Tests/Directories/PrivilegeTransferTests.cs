using System.Collections;
using System.Globalization;
using StackExchange.Redis;
using StatusDaemon.Privileges;
using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.Directories;

/// <summary>Import and export of the privilege database, with a real one.</summary>
public sealed class PrivilegeTransferTests : IAsyncLifetime
{
    private const string Odd = """
        subscribers:
          - uid: urn:uuid:6f000000-0000-4000-8000-000000000001
            dname: o'brien/admin@EXAMPLE.ORG
            numbers: ["*21#", "+7912", "0012"]
            domain: example.org
            name: "Ольга \"Оля\" : # \\ Ó"
            black: ["*", "number:10[1-4]?", "dname:*@EXAMPLE.ORG"]
          - uid: "a b@c"
            dname: x@Y
            white: ["domain:example.org", "urn:uuid:6f000000-0000-4000-8000-000000000001"]
          - uid: "null"
            dname: null@EXAMPLE.ORG
            name: "true"

        """;

    private readonly TempFolder folder = new();
    private readonly CancellationToken stop = TestContext.Current.CancellationToken;
    private RedisProcess redis = null!;
    private string settings = "";

    public async ValueTask InitializeAsync()
    {
        redis = await RedisProcess.StartAsync();
        settings = folder.Write("settings.yml", string.Create(CultureInfo.InvariantCulture, $"PRIVILEGE_REDIS: {{ port: {redis.Port} }}\n"));
    }

    public async ValueTask DisposeAsync()
    {
        await redis.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Odd)]
    public async Task What_is_imported_is_exported_as_it_was(string? directory)
    {
        var file = directory is null ? Path.Combine(Repository.Root, "config", "directory.yml") : folder.Write("directory.yml", directory);
        await using var transfer = await OpenAsync();
        var changes = await transfer.CompareAsync(file, stop);
        Assert.All(changes, change => Assert.Equal(PrivilegeChangeKind.Added, change.Kind));
        Assert.Empty(await redis.Server.KeysAsync().ToArrayAsync(stop)); // comparing changes nothing
        await transfer.ApplyAsync(changes, stop);

        Assert.Empty(await transfer.CompareAsync(file, stop));
        var export = await transfer.ExportAsync(stop);
        Assert.Empty(export.LeftOut);
        Assert.Equal(Text(Read(file)), Text(Read(folder.Write("exported.yml", export.Yaml))));
        Assert.Equal(Read(file).Subscribers.Count, export.Subscribers);
        await using var directoryOfRedis = await RedisDirectory.OpenAsync(
            new PrivilegeRedisOptions { Server = redis.Options }, new DirectoryPolicy(), realm: null, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<RedisDirectory>.Instance, stop);
        Assert.Equal(Text(Read(file)), Text(directoryOfRedis.Current));
        Assert.Equal(0, directoryOfRedis.Current.ShownOtherwise);
    }

    [Fact]
    public async Task What_the_file_does_not_have_goes_only_when_it_is_pruned_and_what_is_not_ours_never()
    {
        await using var transfer = await OpenAsync();
        await transfer.ApplyAsync(await transfer.CompareAsync(folder.Write("old.yml", """
            subscribers:
              - { uid: u1, dname: a@X, numbers: ["1", "2"], name: A, black: [u2, u3] }
              - { uid: u2, dname: b@X, numbers: ["3"] }

            """), stop), stop);
        await redis.Commands.HashSetAsync("subscriber:u1", "photo", "of the service");
        await redis.Commands.StringSetAsync("other:key", "of a program");

        var changes = await transfer.CompareAsync(folder.Write("new.yml", """
            subscribers:
              - { uid: u1, dname: a@X, numbers: ["1", "3"], black: [u2, u4] }

            """), stop);
        Assert.Equal(
            [
                "u1 Removed number:2  u1 ", "u1 Changed number:3  u2 u1", "u1 Removed subscriber:u1 name A ", "u1 Changed subscriber:u1 numbers 1,2 1,3", "u1 Removed black:u1 u3  ", "u1 Added black:u1 u4  ",
                "u2 Removed dname:b@X  u2 ", "u2 Removed subscriber:u2 dname b@X ", "u2 Removed subscriber:u2 numbers 3 ",
            ],
            changes.Select(change => $"{change.Uid} {change.Kind} {change.Key} {change.Part} {change.Before} {change.After}"));

        await transfer.ApplyAsync(changes.Where(change => change.Kind != PrivilegeChangeKind.Removed), stop);
        Assert.Equal("u1", await redis.Commands.StringGetAsync("number:3"));
        Assert.Equal("u1", await redis.Commands.StringGetAsync("number:2"));
        Assert.Equal("b@X", await redis.Commands.HashGetAsync("subscriber:u2", "dname"));

        await transfer.ApplyAsync(await transfer.CompareAsync(folder["new.yml"], stop), stop);
        Assert.Equal(
            ["black:u1", "dname:a@X", "number:1", "number:3", "other:key", "subscriber:u1"],
            (await redis.Server.KeysAsync().ToArrayAsync(stop)).Select(key => key.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal("of the service", await redis.Commands.HashGetAsync("subscriber:u1", "photo"));
        Assert.False(await redis.Commands.HashExistsAsync("subscriber:u1", "name"));
    }

    [Fact]
    public async Task What_a_directory_file_cannot_say_is_named()
    {
        await redis.Commands.StringSetAsync([new("dname:a@X", "u1"), new("dname:b@X", "u1"), new("number:5", "line"), new("dname:c@X", "\n"), new("dname:no-realm", "u1")]);
        await redis.Commands.HashSetAsync("subscriber:u1", [new("dname", "b@X"), new("domain", "no domain")]);
        await redis.Commands.SetAddAsync("black:u1", ["nmber:1", "*"]);
        await using var transfer = await OpenAsync();
        var export = await transfer.ExportAsync(stop);
        Assert.Equal(1, export.Subscribers);
        foreach (var words in (string[])["dname:no-realm", "a@X: leads to u1 beside b@X", "line: no domain name leads to it", "dname:c@X: its value is no UID", "u1: its domain can't be read", "black:u1: 'nmber:1' is not a selector"])
        {
            Assert.Contains(export.LeftOut, left => left.Contains(words, StringComparison.Ordinal));
        }

        Assert.Equal("u1 b@X  unreadable.invalid  * ", Text(Read(folder.Write("exported.yml", export.Yaml))));
    }

    [Theory]
    [InlineData("black", "nmber:1")]
    [InlineData("black", "u2,dname:\xFF")]
    [InlineData("white", "nmber:1")]
    [InlineData("black", null)]
    public async Task Who_is_hidden_by_what_cannot_be_read_is_hidden_in_the_file_as_well(string list, string? selectors)
    {
        await redis.Commands.StringSetAsync("dname:a@X", "u1");
        Task writing = selectors is null
            ? redis.Commands.StringSetAsync($"{list}:u1", "text")
            : redis.Commands.SetAddAsync($"{list}:u1", [.. selectors.Split(',').Select(selector => (RedisValue)System.Text.Encoding.Latin1.GetBytes(selector))]);
        await writing;
        await using var transfer = await OpenAsync();
        var export = await transfer.ExportAsync(stop);
        Assert.Equal("u1 a@X    * ", Text(Read(folder.Write("exported.yml", export.Yaml))));
    }

    [Fact]
    public async Task An_empty_database_gives_a_file_that_says_nobody()
    {
        await using var transfer = await OpenAsync();
        Assert.Equal("subscribers: []\n", (await transfer.ExportAsync(stop)).Yaml);
    }

    [Fact]
    public async Task What_cannot_be_done_is_said_in_words()
    {
        await using var transfer = await OpenAsync();
        var bad = folder.Write("bad.yml", "subscribers:\n- {uid: u}\n");
        Assert.Equal($"{bad}:2: the subscriber has no 'dname'", (await Assert.ThrowsAsync<StartException>(() => transfer.CompareAsync(bad, stop))).Message);

        await redis.Commands.ListLeftPushAsync("subscriber:u1", "x");
        var good = folder.Write("good.yml", "subscribers:\n- {uid: u1, dname: a@X}\n");
        Assert.Equal("subscriber:u1: it is no hash", (await Assert.ThrowsAsync<StartException>(() => transfer.CompareAsync(good, stop))).Message);

        await redis.KillAsync();
        Assert.Contains("Redis at 127.0.0.1", (await Assert.ThrowsAsync<StartException>(() => transfer.CompareAsync(good, stop))).Message, StringComparison.Ordinal);
        Assert.Contains("can't be reached", (await Assert.ThrowsAsync<StartException>(OpenAsync)).Message, StringComparison.Ordinal);
    }

    private static string Text(DirectorySnapshot snapshot) => string.Join('\n', snapshot.Subscribers
        .Select(one => $"{one.Uid} {one.DName} {string.Join(',', one.Numbers.Select(number => number.ToString()).Order(StringComparer.Ordinal))} {one.Domain} {one.Name} {Sorted(one.Rules.Black)} {Sorted(one.Rules.White)}")
        .Order(StringComparer.Ordinal));

    private static string Sorted(IEnumerable<Names.Selector> selectors) => string.Join(',', selectors.Select(selector => selector.ToString()).Order(StringComparer.Ordinal));

    private static DirectorySnapshot Read(string file) =>
        DirectoryFile.TryRead(file, new DirectoryPolicy(), 1, out var read, out var problems) ? read.Snapshot : throw new InvalidOperationException(string.Join('\n', problems));

    private Task<PrivilegeTransfer> OpenAsync() => PrivilegeTransfer.OpenAsync(settings, new Hashtable(), stop);
}
