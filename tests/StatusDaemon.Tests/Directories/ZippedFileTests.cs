using CsCheck;

namespace StatusDaemon.Directories;

public sealed class ZippedFileTests
{
    [Fact]
    public void Bytes_are_what_they_were_and_no_more_than_may_be() => Gen.Byte.Array[0, 200_000].Sample(bytes =>
    {
        var zipped = ZippedFile.Zip(bytes);
        Assert.True(ZippedFile.TryUnzip(zipped, bytes.Length, out var unzipped));
        Assert.Equal(bytes, unzipped);
        Assert.Equal(bytes.Length == 0, ZippedFile.TryUnzip(zipped, bytes.Length - 1, out _));
    }, iter: 50, threads: 1);

    [Fact]
    public void Whatever_is_not_zipped_is_refused_or_comes_to_something_and_never_throws() => Gen.Byte.Array[0, 100].Sample(bytes =>
    {
        ZippedFile.TryUnzip(bytes, 1000, out _);
        ZippedFile.TryUnzip([.. ZippedFile.Zip(bytes).SkipLast(1)], 1000, out _);
        ZippedFile.TryUnzip([.. ZippedFile.Zip(bytes).Take(10), .. bytes], 1000, out _);
    }, iter: 10_000, threads: 1);
}
