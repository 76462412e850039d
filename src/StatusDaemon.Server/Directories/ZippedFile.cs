using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;

namespace StatusDaemon.Directories;

/// <summary>The bytes of a file in the form of gzip.</summary>
internal static class ZippedFile
{
    /// <summary>Zips bytes, fast rather than small.</summary>
    public static byte[] Zip(byte[] bytes)
    {
        var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return zipped.ToArray();
    }

    /// <summary>Reads what somebody else has zipped.</summary>
    /// <param name="most">Bytes that it may come to; a few zipped ones can come to any number.</param>
    /// <returns>False for more bytes, and for what is not zipped. What was cut short may be taken for a shorter file.</returns>
    public static bool TryUnzip(byte[] zipped, int most, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        var unzipped = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(zipped), CompressionMode.Decompress);
        var page = new byte[64 << 10];
        try
        {
            while (gzip.Read(page) is > 0 and var read)
            {
                if (unzipped.Length + read > most)
                {
                    return false;
                }

                unzipped.Write(page, 0, read);
            }
        }
        catch (InvalidDataException)
        {
            return false;
        }

        bytes = unzipped.ToArray();
        return true;
    }
}
