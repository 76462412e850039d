using System.Globalization;
using System.Text;
using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Settings;

namespace StatusDaemon.Directories;

public sealed class DirectoryFileTests
{
    private static readonly string Shipped = Path.Combine(Repository.Root, "config", "directory.yml");

    [Fact]
    public void The_shipped_file_is_good_and_shows_both_lists()
    {
        Assert.True(DirectoryFile.TryRead(Shipped, new DirectoryPolicy(), 1, out var file, out var problems), string.Join('\n', problems));
        var people = file.Snapshot;
        Assert.Equal(8, people.Subscribers.Count);
        Assert.Equal(1, people.Revision);
        var (alice, bob, carol, mallory, erin, frank) = (Who("alice"), Who("bob"), Who("carol"), Who("mallory"), Who("erin"), Who("frank"));
        Assert.Equal(VerdictReason.Black, people.Judge(carol, mallory).Reason);
        Assert.True(people.Judge(carol, bob).IsVisible);
        Assert.Equal(VerdictReason.White, people.Judge(erin, alice).Reason);
        Assert.Equal(VerdictReason.White, people.Judge(erin, frank).Reason);
        Assert.Equal(VerdictReason.NotWhite, people.Judge(erin, bob).Reason);

        Uid Who(string user)
        {
            Assert.True(DName.TryParse($"{user}@SANDBOX.LOCAL", out var dname) && people.TryGet(dname, out _));
            return people.TryGet(dname, out var subscriber) ? subscriber.Uid : throw new InvalidOperationException(user);
        }
    }

    [Fact]
    public void Everything_that_a_subscriber_may_have_is_read()
    {
        var subscriber = Assert.Single(Read("""
            subscribers:
              - uid: u1
                dname: alice@A
                numbers: [0123, "+7800", 5]
                domain: Beta.Example
                name: "Alice: \"Ann\""
                black: dname:m*
                white: ["*", number:1*]

            """).Subscribers);
        Assert.Equal(["0123", "+7800", "5"], subscriber.Numbers.Select(number => number.ToString()));
        Assert.Equal(("beta.example", "Alice: \"Ann\""), (subscriber.Domain.ToString(), subscriber.Name));
        Assert.Equal(["dname:m*"], subscriber.Rules.Black.Select(rule => rule.ToString()));
        Assert.Equal(["*", "number:1*"], subscriber.Rules.White.Select(rule => rule.ToString()));
    }

    [Fact]
    public void Flow_style_is_taken_and_what_is_left_empty_is_missing()
    {
        var subscriber = Assert.Single(Read("{subscribers: [{uid: u1, dname: a@A, numbers: null, name: , domain: null, black: [], white: ~}]}").Subscribers);
        Assert.Equal((0, "", true, BlackWhiteRules.None), (subscriber.Numbers.Count, subscriber.Name, subscriber.Domain.IsEmpty, subscriber.Rules));
    }

    [Fact]
    public void An_empty_list_says_that_nobody_is_there() => Assert.Empty(Read("subscribers: []").Subscribers);

    [Theory]
    [InlineData("", "1: the file is empty")]
    [InlineData("# nobody", "1: the file is empty")]
    [InlineData("{}", "1: 'subscribers' is missing")]
    [InlineData("subscribers:", "1: 'subscribers' must be a list")]
    [InlineData("subscribers: {}", "1: 'subscribers' must be a list")]
    [InlineData("[]", "1: the file must hold 'subscribers:'")]
    [InlineData("subscribers: []\nsubscribers: []", "2: 'subscribers' is there twice; the first is in line 1")]
    [InlineData("subscribers: []\nothers: [1, 2]", "2: 'others' is unknown")]
    [InlineData("subscribers:\n- alice", "2: a subscriber must be a map with the keys uid, ")]
    [InlineData("subscribers:\n- {uid: u}", "2: the subscriber has no 'dname'")]
    [InlineData("subscribers:\n- {dname: a@A}", "2: the subscriber has no 'uid'")]
    [InlineData("subscribers:\n- {uid: , dname: a@A}", "2: 'uid' must be one text")]
    [InlineData("subscribers:\n- {uid: [u], dname: a@A}", "2: 'uid' must be one text")]
    [InlineData("subscribers:\n- {uid: u, dname: alice}", "2: dname: 'alice' is not a domain name")]
    [InlineData("subscribers:\n- uid: \"a\\0b\"\n  dname: a@A", "2: uid: not a UID")]
    [InlineData("subscribers:\n- {uid: u, dname: a@A, uid: v}", "2: 'uid' is there twice; the first is in line 2")]
    [InlineData("subscribers:\n- {uid: u, dname: a@A, nmae: x}", "2: 'nmae' is unknown, did you mean name?; a subscriber has uid, ")]
    [InlineData("subscribers:\n- uid: u\n  dname: a@A\n  numbers: 1, 2", "4: numbers: '1, 2' is not a phone number")]
    [InlineData("subscribers:\n- uid: u\n  dname: a@A\n  numbers:\n  - 1\n  - {a: b}", "6: 'numbers' must be one text or a list of texts")]
    [InlineData("subscribers:\n- uid: u\n  dname: a@A\n  domain: a b", "4: domain: 'a b' is not a domain")]
    [InlineData("subscribers:\n- uid: u\n  dname: a@A\n  name: \"a\\nb\"", "4: name: at most 256 characters")]
    [InlineData("subscribers:\n- uid: u\n  dname: a@A\n  black: [u2, nmber:1]", "4: black: 'nmber:1' is not a selector: a UID, number:<glob>")]
    [InlineData("subscribers:\n- {uid: u, dname: a@A}\n- {uid: u, dname: b@A}", "3: u is there twice; the first is in line 2")]
    [InlineData("subscribers:\n- {uid: u, dname: a@A}\n- {uid: v, dname: a@A}", "3: a@A is there twice; the first is in line 2")]
    [InlineData("subscribers:\n- {uid: u, dname: a@A, numbers: [1]}\n- {uid: v, dname: b@A, numbers: [2, 1]}", "3: 1 is there twice; the first is in line 2")]
    [InlineData("subscribers:\n- {uid: u, dname: a@A, numbers: [1, 1]}", "2: 1 is there twice; the first is in line 2")]
    [InlineData("subscribers:\n- uid: u\n  dname: a@A\n- uid: v\n  dna", "5: not valid YAML")]
    [InlineData("subscribers:\n- {uid: u, dname: a@A", "2: not valid YAML")]
    [InlineData("subscribers:\n\t- {uid: u, dname: a@A}", "2: a tab stands in the indentation")]
    [InlineData("subscribers:\n- &a {uid: u, dname: a@A}", "2: the anchor '&a' stands here")]
    [InlineData("subscribers:\n- {uid: u, dname: a@A, white: [*]}", "2: ")]
    public void A_bad_file_is_refused_with_line_and_reason(string yaml, string problem) =>
        Assert.StartsWith($"d.yml:{problem}", Assert.Single(Problems(yaml)), StringComparison.Ordinal);

    [Theory]
    [InlineData("subscribers:\n- {uid: u, dname: a@A}", 2)]
    [InlineData("subscribers:\n- uid: u\n  dname: a@A\n  black: dname:mal", 4)]
    [InlineData("subscribers:\n- uid: u\n  dname: a@A\n# the e", 4)]
    public void A_file_whose_last_line_has_no_end_may_be_cut_and_is_refused(string yaml, int line) =>
        Assert.StartsWith($"d.yml:{line}: the last line does not end", Assert.Single(Problems(yaml)), StringComparison.Ordinal);

    [Theory, InlineData("black:\n"), InlineData("white:\n  -\n"), InlineData("numbers: # soon\n")]
    public void A_list_without_a_value_may_be_cut_and_is_refused(string key) =>
        Assert.StartsWith("d.yml:", Assert.Single(Problems($"subscribers:\n- uid: u\n  dname: a@A\n  {key}")), StringComparison.Ordinal);

    [Fact]
    public void Wherever_the_shipped_file_is_cut_but_between_lines_it_is_refused()
    {
        var whole = File.ReadAllBytes(Shipped);
        for (var length = 0; length < whole.Length; length++)
        {
            if (length == 0 || whole[length - 1] != '\n')
            {
                Assert.False(TryParse(whole[..length], out _, out var problems), Encoding.UTF8.GetString(whole[..length]));
                Assert.NotEmpty(problems);
            }
        }
    }

    [Fact]
    public void Several_problems_are_told_at_once_but_not_thousands()
    {
        Assert.Equal(2, Problems("subscribers:\n- {uid: u, dname: a}\n- {uid: u, dname: b@B}").Count);
        Assert.Equal(DirectoryFile.MaxProblems, Problems("subscribers:\n" + string.Concat(Enumerable.Repeat("- {}\n", 1_000))).Count);
    }

    [Fact]
    public void A_file_that_is_not_there_is_told()
    {
        using var folder = new TempFolder();
        Assert.False(DirectoryFile.TryRead(folder["none.yml"], new DirectoryPolicy(), 1, out _, out var problems));
        Assert.StartsWith($"{folder["none.yml"]}: there is no such file", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_too_large_is_told_without_being_read()
    {
        using var folder = new TempFolder();
        using (var sparse = File.Create(folder["large.yml"]))
        {
            sparse.SetLength(DirectoryFile.MaxBytes + 1L);
        }

        Assert.False(DirectoryFile.TryRead(folder["large.yml"], new DirectoryPolicy(), 1, out _, out var problems));
        Assert.Contains("at most 268435456 are read", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Cut_anywhere_it_is_refused_or_is_a_shorter_directory_but_never_throws()
    {
        var whole = File.ReadAllBytes(Shipped);
        Gen.Int[0, whole.Length].Sample(length => { _ = TryParse(whole[..length], out _, out _); }, iter: 300, threads: 1);
    }

    [Fact]
    public void Any_text_is_a_directory_or_has_problems_and_never_throws() =>
        Gen.OneOf("subscribers:", "- ", "uid: u", "dname: a@A", "black: [", "]", "{", "}", "\n", "  ", ",", "*", "&a", "\"", "'", ":", "|", "!<", ">", "%", "\0", "---", "...", "?", "\t")
            .Array[0, 16].Sample(parts => { _ = TryParse(Encoding.UTF8.GetBytes(string.Concat(parts)), out _, out _); }, iter: 1_000, threads: 1);

    [Fact]
    public void Tens_of_thousands_of_subscribers_are_read()
    {
        var text = new StringBuilder("subscribers:\n");
        for (var i = 0; i < 20_000; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - uid: 6f000000-0000-4000-8000-{i:x12}\n    dname: user{i}@EXAMPLE.ORG\n    numbers: [{100_000 + i}]\n    black: [\"number:1*\"]\n");
        }

        Assert.Equal(20_000, Read(text.ToString()).Subscribers.Count);
    }

    private static DirectorySnapshot Read(string yaml)
    {
        Assert.True(TryParse(Encoding.UTF8.GetBytes(yaml), out var file, out var problems), string.Join('\n', problems));
        return file!.Snapshot;
    }

    private static IReadOnlyList<string> Problems(string yaml)
    {
        Assert.False(TryParse(Encoding.UTF8.GetBytes(yaml), out _, out var problems));
        return problems;
    }

    private static bool TryParse(byte[] utf8, out DirectoryFile? file, out IReadOnlyList<string> problems) =>
        DirectoryFile.TryParse("d.yml", utf8, new DirectoryPolicy(), 1, default, out file, out problems);
}
