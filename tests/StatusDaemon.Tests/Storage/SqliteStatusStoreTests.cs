using System.Diagnostics;
using CsCheck;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace StatusDaemon.Storage;

public sealed class SqliteStatusStoreTests : StatusStoreContract, IDisposable
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), "status-store-" + Path.GetRandomFileName());

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string StorePath => Path.Combine(folder, SqliteStatusStore.FileName);

    public void Dispose()
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_second_opening_is_refused_in_words_until_the_first_is_closed()
    {
        await using (Open(StorePath))
        {
            var refusal = Assert.Throws<StoreException>(() => Open(StorePath));
            Assert.Contains(StorePath, refusal.Message, StringComparison.Ordinal);
            Assert.Contains("Another daemon", refusal.Message, StringComparison.Ordinal);
        }

        await using var reopened = Open(StorePath);
        Assert.Equal(1, await reopened.NextEpochAsync(0, Stop));
    }

    [Fact]
    public async Task The_hold_of_a_process_ends_with_kill_9()
    {
        await Open(StorePath).DisposeAsync();
        using var other = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec 9>>\"$0\" && flock -x 9 && echo held && exec cat", StorePath + ".lock"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("held", await other.StandardOutput.ReadLineAsync(Stop));
        Assert.Throws<StoreException>(() => Open(StorePath));

        other.Kill();
        await other.WaitForExitAsync(Stop);

        await Open(StorePath).DisposeAsync();
    }

    [Fact]
    public async Task Only_the_owner_may_read_its_files()
    {
        await using var store = Open(StorePath);
        await store.WriteAsync([StoredStatuses.Of("uid-1", 5, 1, 1)], Stop);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        foreach (var suffix in new[] { "", "-wal", "-shm", ".lock" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(StorePath + suffix));
        }
    }

    [Fact]
    public async Task A_file_that_others_may_read_is_narrowed_to_its_owner()
    {
        await Open(StorePath).DisposeAsync();
        File.SetUnixFileMode(StorePath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        await using var store = Open(StorePath);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(StorePath));
    }

    [Fact]
    public async Task Two_stores_have_two_incarnations()
    {
        await using var one = Open(StorePath);
        await using var other = Open(Path.Combine(folder, "other", SqliteStatusStore.FileName));
        Assert.NotEqual(one.Incarnation, other.Incarnation);
    }

    [Fact]
    public async Task A_crash_at_any_moment_loses_nothing_that_was_acknowledged()
    {
        await using var store = Open(StorePath);
        for (var round = 1; round <= 10; round++)
        {
            await store.WriteAsync([.. Enumerable.Range(1, 300).Select(i => StoredStatuses.Of($"uid-{i * round}", 5, round, i))], Stop);
            var epoch = await store.NextEpochAsync(0, Stop);
            var before = await store.ScanAsync(Stop).ToListAsync(Stop);

            await using var revived = Open(CrashImage($"crash-{round}"));

            Assert.Equal(before, await revived.ScanAsync(Stop).ToListAsync(Stop));
            Assert.Equal(store.Incarnation, revived.Incarnation);
            Assert.True(await revived.NextEpochAsync(0, Stop) > epoch);
        }
    }

    [Fact]
    public async Task A_log_torn_anywhere_gives_the_first_batches_each_of_them_whole()
    {
        const int Batches = 12, BatchSize = 40;
        await using var store = Open(StorePath);
        for (var batch = 1; batch <= Batches; batch++)
        {
            await store.WriteAsync([.. Enumerable.Range(1, BatchSize).Select(i => StoredStatuses.Of($"uid-{batch}-{i}", 5, batch, i))], Stop);
        }

        // The first transaction makes the schema: below it there is no store yet.
        var log = new FileInfo(StorePath + "-wal").Length;
        var image = 0;
        await Gen.Long[log / 3, log].SampleAsync(
            async length =>
            {
                var torn = CrashImage($"torn-{Interlocked.Increment(ref image)}");
                using (var wal = new FileStream(torn + "-wal", FileMode.Open))
                {
                    wal.SetLength(length);
                }

                await using var revived = Open(torn);
                var records = await revived.ScanAsync(Stop).ToListAsync(Stop);
                var batches = records.Select(stored => stored.Record.Version.Epoch).Distinct().ToList();
                return records.Count == batches.Count * BatchSize && batches.SequenceEqual(Enumerable.Range(1, batches.Count).Select(batch => (long)batch));
            },
            iter: 25,
            threads: 1);
    }

    [Fact]
    public async Task After_a_clean_close_the_file_alone_is_the_store()
    {
        var written = StoredStatuses.Of("uid-1", 5, 1, 1);
        await using (var store = Open(StorePath))
        {
            await store.WriteAsync([written], Stop);
        }

        Assert.Equal([StorePath, StorePath + ".lock"], Directory.GetFiles(folder).Order(StringComparer.Ordinal));
        await using var reopened = Open(StorePath);
        Assert.Equal([written], await reopened.ScanAsync(Stop).ToListAsync(Stop));
    }

    [Fact]
    public async Task A_scan_shows_the_moment_in_which_it_began()
    {
        await using var store = Open(StorePath);
        var first = Enumerable.Range(1, 3_000).Select(i => StoredStatuses.Of($"uid-{i}", 5, 1, i)).ToList();
        await store.WriteAsync(first, Stop);

        var seen = new List<StoredStatus>();
        await foreach (var stored in store.ScanAsync(Stop))
        {
            if (seen.Count == 0)
            {
                await store.WriteAsync([.. first.Select(old => StoredStatuses.Of(old.Uid.ToString(), 5, 2, 1))], Stop);
            }

            seen.Add(stored);
        }

        Assert.Equal(first, seen);
    }

    [Fact]
    public async Task The_log_stays_small_under_constant_load()
    {
        const int Records = 20_000, BatchSize = 1_000, Batches = 25;
        await using var store = Open(StorePath);
        var longest = 0L;
        var random = new Random(1);
        for (var batch = 1; batch <= Batches; batch++)
        {
            await store.WriteAsync([.. Enumerable.Range(1, BatchSize).Select(i => StoredStatuses.Of($"uid-{random.Next(Records):d40}", 5, batch, i))], Stop);
            longest = Math.Max(longest, new FileInfo(StorePath + "-wal").Length);
        }

        // 16 MiB, and what the batch that reached them brought.
        TestContext.Current.TestOutputHelper!.WriteLine($"the log grew to {longest / 1024} KiB");
        Assert.InRange(longest, 1, 24L << 20);
    }

    [Fact]
    public async Task A_hundred_thousand_records_are_scanned_at_a_start()
    {
        await using var store = Open(StorePath);
        await store.WriteAsync([.. Enumerable.Range(1, 100_000).Select(i => StoredStatuses.Of($"uid-{i}", 5, 1, i))], Stop);

        var start = Stopwatch.GetTimestamp();
        var count = await store.ScanAsync(Stop).CountAsync(Stop);

        TestContext.Current.TestOutputHelper!.WriteLine($"100,000 records scanned in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:f0} ms");
        Assert.Equal(100_000, count);
    }

    [Fact]
    public async Task A_full_disk_fails_the_whole_batch_in_words_and_the_store_goes_on()
    {
        await using var store = Open(StorePath, maxPages: 40);
        var known = StoredStatuses.Of("uid-1", 5, 1, 1);
        await store.WriteAsync([known], Stop);

        var tooMuch = Enumerable.Range(1, 5_000).Select(i => StoredStatuses.Of($"uid-{i}", 5, 2, i)).ToList();
        var failure = await Assert.ThrowsAsync<StoreException>(() => store.WriteAsync(tooMuch, Stop));
        Assert.Contains("disk is full", failure.Message, StringComparison.Ordinal);
        Assert.Contains(StorePath, failure.Message, StringComparison.Ordinal);
        Assert.Equal([known], await store.ScanAsync(Stop).ToListAsync(Stop));

        await store.WriteAsync(tooMuch[..10], Stop);
        Assert.Equal(tooMuch[..10], await store.ScanAsync(Stop).ToListAsync(Stop));
        Assert.Equal(1, await store.NextEpochAsync(0, Stop));
    }

    [Fact]
    public async Task A_program_that_locks_the_file_fails_writes_in_words_until_it_lets_go()
    {
        await using var store = Open(StorePath);
        var stored = StoredStatuses.Of("uid-1", 5, 1, 1);
        using (var shell = RawConnection(StorePath))
        using (shell.BeginTransaction(deferred: false))
        {
            var failure = await Assert.ThrowsAsync<StoreException>(() => store.WriteAsync([stored], Stop));
            Assert.Contains("Another program keeps", failure.Message, StringComparison.Ordinal);
        }

        await store.WriteAsync([stored], Stop);
        Assert.Equal([stored], await store.ReadAsync([stored.Uid], Stop));
    }

    [Fact]
    public async Task A_file_of_a_newer_release_is_refused_and_left_as_it_is()
    {
        await Open(StorePath).DisposeAsync();
        Execute(StorePath, $"PRAGMA user_version = {SqliteSchema.Version + 1}");
        var bytes = await File.ReadAllBytesAsync(StorePath, Stop);

        var refusal = Assert.Throws<StoreException>(() => Open(StorePath));

        Assert.Contains("newer release", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(StorePath, Stop));
    }

    [Fact]
    public async Task A_database_of_another_program_is_refused_and_left_as_it_is()
    {
        Directory.CreateDirectory(folder);
        Execute(StorePath, "CREATE TABLE mail (subject TEXT)");
        var bytes = await File.ReadAllBytesAsync(StorePath, Stop);

        var refusal = Assert.Throws<StoreException>(() => Open(StorePath));

        Assert.Contains("another program", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(StorePath, Stop));
    }

    [Fact]
    public void A_file_that_is_no_database_is_called_damaged()
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(StorePath, new string('x', 10_000));

        var refusal = Assert.Throws<StoreException>(() => Open(StorePath));

        Assert.Contains("damaged", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("backup", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_pages_are_met_in_words_by_whoever_reads_them()
    {
        var written = Enumerable.Range(1, 2_000).Select(i => StoredStatuses.Of($"uid-{i}", 5, 1, i)).ToList();
        await using (var store = Open(StorePath))
        {
            await store.WriteAsync(written, Stop);
        }

        using (var file = new FileStream(StorePath, FileMode.Open))
        {
            file.Position = 4 * 4096;
            await file.WriteAsync(Enumerable.Repeat((byte)0xEE, (int)file.Length - (4 * 4096)).ToArray(), Stop);
        }

        await using var damaged = Open(StorePath);
        var scan = await Assert.ThrowsAsync<StoreException>(async () => await damaged.ScanAsync(Stop).CountAsync(Stop));
        var read = await Assert.ThrowsAsync<StoreException>(() => damaged.ReadAsync([.. written.Select(stored => stored.Uid)], Stop));
        Assert.All([scan, read], failure => Assert.Contains("damaged", failure.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("uid = char(7)")]
    [InlineData("timestamp = 'soon'")]
    [InlineData("at = 9000000000000000000")]
    [InlineData("at = 9223372036854775807")]
    [InlineData("status = 9")]
    [InlineData("source = 0")]
    [InlineData("source = 6")]
    [InlineData("source = 257")]
    [InlineData("incarnation = 0")]
    [InlineData("epoch = -1")]
    [InlineData("seq = 0")]
    public async Task A_row_that_we_never_write_is_called_damaged(string assignment)
    {
        await using var store = Open(StorePath);
        await store.WriteAsync([StoredStatuses.Of("uid-1", 5, 1, 1)], Stop);
        Execute(StorePath, $"PRAGMA ignore_check_constraints = 1; UPDATE status SET {assignment}");

        var failure = await Assert.ThrowsAsync<StoreException>(async () => await store.ScanAsync(Stop).CountAsync(Stop));

        Assert.Contains("damaged", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status = 9")]
    [InlineData("source = 0")]
    [InlineData("source = 6")]
    [InlineData("epoch = 0")]
    [InlineData("seq = 0")]
    public async Task A_shell_is_not_let_write_a_number_that_means_nothing(string assignment)
    {
        await using var store = Open(StorePath);
        await store.WriteAsync([StoredStatuses.Of("uid-1", 5, 1, 1)], Stop);

        var refusal = Assert.Throws<SqliteException>(() => Execute(StorePath, $"UPDATE status SET {assignment}"));

        Assert.Contains("CHECK constraint failed", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_a_scan_cannot_open_is_met_in_words_and_the_store_goes_on()
    {
        await using var store = Open(StorePath);
        var stored = StoredStatuses.Of("uid-1", 5, 1, 1);
        await store.WriteAsync([stored], Stop);
        File.Move(StorePath, StorePath + ".away");

        var failure = await Assert.ThrowsAsync<StoreException>(async () => await store.ScanAsync(Stop).CountAsync(Stop));
        Assert.Contains("cannot be opened", failure.Message, StringComparison.Ordinal);

        File.Move(StorePath + ".away", StorePath);
        Assert.Equal([stored], await store.ScanAsync(Stop).ToListAsync(Stop));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_refused_in_words()
    {
        // Tests may run as root, whom no mode stops: a place where nobody can make files does.
        foreach (var path in new[] { "/proc/status-daemon/statuses.db", "/dev/null/statuses.db" })
        {
            var refusal = Assert.Throws<StoreException>(() => Open(path));
            Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
            Assert.Contains("STATE.path", refusal.Message, StringComparison.Ordinal);
        }
    }

    private protected override Task<IStatusStore> OpenAsync() => Task.FromResult<IStatusStore>(Open(StorePath));

    private static SqliteStatusStore Open(string path, int? maxPages = null) =>
        SqliteStatusStore.Open(path, NullLogger<SqliteStatusStore>.Instance, maxPages);

    private static SqliteConnection RawConnection(string path)
    {
        var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        return connection;
    }

    private static void Execute(string path, string sql)
    {
        using var connection = RawConnection(path);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>The files as a killed process leaves them: copied while the store is open and nothing is being written.</summary>
    private string CrashImage(string name)
    {
        var image = Path.Combine(folder, name, SqliteStatusStore.FileName);
        Directory.CreateDirectory(Path.GetDirectoryName(image)!);
        foreach (var suffix in new[] { "", "-wal", "-shm" })
        {
            File.Copy(StorePath + suffix, image + suffix);
        }

        return image;
    }
}
