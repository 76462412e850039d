using System.Text;

namespace StatusDaemon.Names;

public sealed class UidTableTests
{
    [Fact]
    public void Equal_bytes_are_one_object_while_somebody_holds_it()
    {
        var table = new UidTable();
        var first = table.Hold("alice"u8);
        Assert.True(Uid.TryParse("alice", out var other));
        Assert.Same(first, table.Hold("alice"u8));
        Assert.Same(first, table.Hold(other));
        Assert.Equal(1, table.Count);

        table.Release(other);
        table.Release(first);
        Assert.Equal(1, table.Count);
        table.Release(first);
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void More_releases_than_holds_are_a_fault()
    {
        var table = new UidTable();
        var uid = table.Hold("alice"u8);
        table.Release(uid);
        Assert.Throws<InvalidOperationException>(() => table.Release(uid));
    }

    [Fact]
    public void Bytes_that_are_no_uid_are_a_fault() => Assert.Throws<InvalidOperationException>(() => new UidTable().Hold("\0"u8));

    [Fact]
    public void Many_threads_hold_and_release_and_nothing_is_left()
    {
        var table = new UidTable();
        Parallel.For(0, 4, worker =>
        {
            var random = new Random(worker);
            var held = new List<Uid>();
            for (var i = 0; i < 20_000; i++)
            {
                if (held.Count > 0 && random.Next(2) == 0)
                {
                    var at = random.Next(held.Count);
                    table.Release(held[at]);
                    held.RemoveAt(at);
                }
                else
                {
                    var name = $"uid{random.Next(100)}";
                    var uid = table.Hold(Encoding.UTF8.GetBytes(name));
                    Assert.Equal(name, uid.ToString());
                    Assert.Same(uid, table.Hold(uid));
                    table.Release(uid);
                    held.Add(uid);
                }
            }

            held.ForEach(table.Release);
        });
        Assert.Equal(0, table.Count);
    }
}
