using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using StatusDaemon.Privileges;
using StatusDaemon.Settings;

namespace StatusDaemon.Directories;

/// <summary>A directory file that was read whole and found good.</summary>
internal sealed record DirectoryFile
{
    /// <summary>Largest file in bytes: more than a million subscribers.</summary>
    public const int MaxBytes = 256 << 20;

    /// <summary>Most problems that are told of one file.</summary>
    public const int MaxProblems = 20;

    /// <summary>What the file system said before it was read.</summary>
    public required FileStamp Stamp { get; init; }

    /// <summary>SHA-256 of the bytes, in hexadecimal digits: members on several machines compare it.</summary>
    public required string Hash { get; init; }

    /// <summary>The bytes, zipped: so members of a cluster show them to each other.</summary>
    public required byte[] Zipped { get; init; }

    /// <summary>What it says.</summary>
    public required DirectorySnapshot Snapshot { get; init; }

    /// <summary>Reads a file. It is taken whole or not at all.</summary>
    /// <param name="revision">Of the snapshot.</param>
    /// <param name="problems">What is wrong, each as <c>file:line: reason</c>, at most <see cref="MaxProblems"/>; empty on success.</param>
    /// <remarks>It blocks: the time goes into parsing, about 2 s of CPU for 100,000 subscribers.</remarks>
    public static bool TryRead(string path, DirectoryPolicy policy, long revision, [NotNullWhen(true)] out DirectoryFile? file, out IReadOnlyList<string> problems)
    {
        var stamp = FileStamp.Of(path);
        if (TryReadBytes(path, stamp, out var utf8, out var problem))
        {
            return TryParse(path, utf8, policy, revision, stamp, out file, out problems);
        }

        file = null;
        problems = [problem];
        return false;
    }

    /// <summary>SHA-256 of bytes, in hexadecimal digits.</summary>
    public static string HashOf(byte[] utf8) => Convert.ToHexStringLower(SHA256.HashData(utf8));

    /// <summary>Reads the bytes of a file, whatever they say.</summary>
    public static bool TryReadBytes(string path, FileStamp stamp, [NotNullWhen(true)] out byte[]? utf8, out string problem)
    {
        utf8 = null;
        problem = "";
        try
        {
            if (stamp.Length > MaxBytes)
            {
                problem = $"{path}: the file has {stamp.Length} bytes; at most {MaxBytes} are read";
                return false;
            }

            utf8 = File.ReadAllBytes(path);
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            problem = $"{path}: {(stamp.IsMissing ? "there is no such file, or this user may not see it" : fault.Message)}";
            return false;
        }
    }

    /// <summary>Reads what the bytes of a file say.</summary>
    /// <param name="path">For messages.</param>
    /// <param name="stamp">The state of the file system that the bytes come of.</param>
    /// <inheritdoc cref="TryRead"/>
    public static bool TryParse(
        string path, byte[] utf8, DirectoryPolicy policy, long revision, FileStamp stamp, [NotNullWhen(true)] out DirectoryFile? file, out IReadOnlyList<string> problems)
    {
        var reading = new DirectoryReading(path);
        try
        {
            reading.Read(utf8);
        }
        catch (YamlSyntaxException fault)
        {
            reading.Refuse(fault.Line, fault.Message);
        }

        problems = reading.Problems;
        file = problems.Count > 0 ? null : new DirectoryFile
        {
            Stamp = stamp,
            Hash = HashOf(utf8),
            Zipped = ZippedFile.Zip(utf8),
            Snapshot = new DirectorySnapshot(reading.Subscribers, policy) { Revision = revision },
        };
        return file is not null;
    }
}
