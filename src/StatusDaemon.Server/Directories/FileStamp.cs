using System.Runtime.InteropServices;

namespace StatusDaemon.Directories;

/// <summary>What the file system knows of a file without reading it: if it is the same, so is the content.</summary>
/// <param name="Changed">When content or inode changed: nobody can set it, so a copy with a kept time and length is seen too.</param>
/// <remarks>The default value stands for a file that is not there.</remarks>
internal readonly partial record struct FileStamp(ulong Inode, ulong Length, FileStamp.Time Modified, FileStamp.Time Changed)
{
    private const int AtWorkingDirectory = -100;
    private const uint BasicStats = 0x7FF;

    /// <summary>Whether there was no such file, or a folder on the way could not be entered.</summary>
    public bool IsMissing => this == default;

    /// <summary>Asks the file system, through symbolic links.</summary>
    /// <remarks>statx(2), whose layout is one for all architectures; the runtime's own calls neither follow a link nor tell inode and change time.</remarks>
    public static FileStamp Of(string path) =>
        StatX(AtWorkingDirectory, path, 0, BasicStats, out var buffer) == 0
            ? new FileStamp(buffer.Inode, buffer.Size, buffer.Modified.Time, buffer.Changed.Time)
            : default;

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, out StatXBuffer buffer);

    /// <summary>A moment by the file system's clock.</summary>
    internal readonly record struct Time(long Seconds, uint Nanoseconds);

    /// <summary>struct statx of linux/stat.h.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatXBuffer
    {
        [FieldOffset(0x20)]
        public ulong Inode;

        [FieldOffset(0x28)]
        public ulong Size;

        [FieldOffset(0x60)]
        public StatXTime Changed;

        [FieldOffset(0x70)]
        public StatXTime Modified;
    }

    /// <summary>struct statx_timestamp.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct StatXTime
    {
        [FieldOffset(0)]
        public long Seconds;

        [FieldOffset(8)]
        public uint Nanoseconds;

        public readonly Time Time => new(Seconds, Nanoseconds);
    }
}
