namespace StatusDaemon.Auth;

/// <summary>The two files that Kerberos logins need, and what may be wrong with them, in sentences for the operator.</summary>
internal static class AuthFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>What keeps the keytab from being used; null if nothing does.</summary>
    public static string? KeytabProblem(string path, out IReadOnlyList<KeytabKey> keys)
    {
        keys = [];
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return $"The keytab {path} is not there: export one on the KDC (kadmin: ktadd -k FILE HTTP/host) or correct AUTH.keytab.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"The keytab {path} cannot be read by user {Environment.UserName}: give it to that user with mode 0600. ({e.Message})";
        }

        if (!Keytab.TryRead(bytes, out var read))
        {
            return $"{path} is not a keytab, or is cut short: export it again and replace it by rename.";
        }

        keys = read;
        return keys.Count > 0 ? null : $"The keytab {path} has no keys: export them on the KDC (kadmin: ktadd -k FILE HTTP/host).";
    }

    /// <summary>What keeps the replay cache from being written; null if nothing does. Makes the file, for its owner alone, where it is missing.</summary>
    /// <param name="makesFolder">Whether its folder is ours to make.</param>
    public static string? ReplayCacheProblem(string path, bool makesFolder = false)
    {
        try
        {
            if (makesFolder)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            }

            using var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite | FileShare.Delete,
                UnixCreateMode = OwnerOnly,
            });
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"The replay cache {path} cannot be written by user {Environment.UserName}, so every login would be refused: "
                + $"make its folder writable or set AUTH.replay_cache. ({e.Message})";
        }
    }
}
