using System.Security.Cryptography;
using CsCheck;
using StatusDaemon.EndToEnd;

namespace StatusDaemon.Auth;

public sealed class KeytabTests(KerberosRealm realm)
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    [Fact]
    public void A_keytab_that_kadmin_wrote_names_its_principals_and_versions()
    {
        realm.AddPrincipal("HTTP/keytab-tests");
        realm.ChangeKey("HTTP/keytab-tests");

        Assert.True(Keytab.TryRead(File.ReadAllBytes(realm.Keytab("HTTP/keytab-tests")), out var keys));

        var key = Assert.Single(keys);
        Assert.Equal($"HTTP/keytab-tests@{KerberosRealm.Name}", key.Principal);
        Assert.Equal(2u, key.Version);
        Assert.Equal(DateTimeOffset.UtcNow, key.Made, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void A_version_above_255_stands_behind_the_key()
    {
        Assert.True(Keytab.TryRead(ForgedTicket.Keytab(Key, 300, "HTTP/localhost"), out var keys));

        Assert.Equal(300u, Assert.Single(keys).Version);
    }

    [Fact]
    public void A_hole_that_a_deleted_key_left_is_passed_over()
    {
        byte[] hole = [0xFF, 0xFF, 0xFF, 0xFD, 1, 2, 3];
        var good = ForgedTicket.Keytab(Key, 1, "HTTP/localhost");

        Assert.True(Keytab.TryRead([.. good, .. hole, .. good[2..]], out var keys));

        Assert.Equal(2, keys.Count);
    }

    [Fact]
    public void A_keytab_cut_in_an_entry_is_none()
    {
        var good = ForgedTicket.Keytab(Key, 1, "HTTP/localhost");

        for (var length = 6; length < good.Length; length++)
        {
            Assert.False(Keytab.TryRead(good.AsSpan(0, length), out _));
        }
    }

    [Fact]
    public void Any_bytes_give_a_value_or_false() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            Keytab.TryRead(bytes, out _);
            Keytab.TryRead([5, 2, 0, 0, 0, (byte)bytes.Length, .. bytes], out _);
        });
}
