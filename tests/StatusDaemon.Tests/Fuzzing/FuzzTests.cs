namespace StatusDaemon.Fuzzing;

/// <summary>Seconds of what <c>bench/fuzz</c> does for minutes; each run has seeds of its own, and a failure names the one to repeat it with.</summary>
public sealed class FuzzTests
{
    private static readonly int FirstSeed = Random.Shared.Next();

    [Fact]
    public void Frames_of_any_kind_in_any_cut_are_read_as_the_standard_says()
    {
        for (var i = 0; i < 6_000; i++)
        {
            Fuzz.Frames(unchecked(FirstSeed + i));
        }
    }

    [Fact]
    public void Texts_of_any_kind_are_read_as_the_protocol_says()
    {
        for (var i = 0; i < 60_000; i++)
        {
            Fuzz.Message(unchecked(FirstSeed + i));
        }
    }
}
