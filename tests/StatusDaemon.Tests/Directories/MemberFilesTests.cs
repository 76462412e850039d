namespace StatusDaemon.Directories;

public sealed class MemberFilesTests
{
    private static readonly string One = new('1', 64);
    private static readonly string Two = new('2', 64);

    private readonly MemberFiles members = new();
    private readonly Dictionary<string, MemberSaying> said = [];

    [Fact]
    public void A_member_that_goes_on_saying_so_has_its_file()
    {
        for (var round = 1; round <= 3 * MemberFiles.Patience; round++)
        {
            said["a"] = new MemberSaying(Two, round);
            said["b"] = new MemberSaying(One, round);
            said["c"] = new MemberSaying(One, round);
            Assert.Empty(members.Hear(said, isRound: true));
            Assert.Equal([One, Two], members.Hashes);
        }

        said["a"] = new MemberSaying(One, 1);
        members.Hear(said, isRound: false);
        Assert.Equal([One], members.Hashes);
    }

    [Fact]
    public void A_member_that_says_nothing_new_is_gone_after_some_rounds_and_is_back_when_it_does()
    {
        said["a"] = new MemberSaying(One, 1);
        members.Hear(said, isRound: true);
        for (var round = 1; round < MemberFiles.Patience; round++)
        {
            Assert.Empty(members.Hear(said, isRound: true));
            Assert.Empty(members.Hear(said, isRound: false)); // counts for nothing
            Assert.Equal([One], members.Hashes);
        }

        Assert.Equal(["a"], members.Hear(said, isRound: true));
        Assert.Empty(members.Hashes);
        said["a"] = new MemberSaying(One, 2);
        Assert.Empty(members.Hear(said, isRound: true));
        Assert.Equal([One], members.Hashes);
    }

    [Fact]
    public void What_Redis_has_lost_is_forgotten_no_sooner_than_that()
    {
        said["a"] = new MemberSaying(One, 1);
        members.Hear(said, isRound: true);
        said.Clear();
        for (var round = 1; round < MemberFiles.Patience; round++)
        {
            Assert.Empty(members.Hear(said, isRound: true));
            Assert.Equal([One], members.Hashes);
        }

        Assert.Empty(members.Hear(said, isRound: true)); // nothing is there of it
        Assert.Empty(members.Hashes);
    }

    [Fact]
    public void What_a_member_says_is_read_as_it_was_written_and_nothing_else_is()
    {
        var saying = new MemberSaying(One, 17);
        Assert.True(MemberSaying.TryParse(saying.ToString(), out var read));
        Assert.Equal(saying, read);
        foreach (var text in (string[])["", One, $"{One} ", $"{One} x", $"{One} -1", $"{One} 1 2", $"{One}1 1", $"{new string('G', 64)} 1"])
        {
            Assert.False(MemberSaying.TryParse(text, out _), text);
        }
    }
}
