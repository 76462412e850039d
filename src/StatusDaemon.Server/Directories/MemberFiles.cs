namespace StatusDaemon.Directories;

/// <summary>Which directory file each other member of the cluster has in force, by what it said last.</summary>
/// <remarks>
/// A member that is there says something new all the time. It is gone after <see cref="Patience"/> rounds without that, which are ours and not of any clock: so nobody is gone because Redis was
/// away or has lost what was said, because a clock was set, or because this process stood still.
/// </remarks>
internal sealed class MemberFiles
{
    /// <summary>Rounds in which a member says nothing new before it counts no more.</summary>
    public const int Patience = 5;

    private readonly Dictionary<string, Member> members = [];

    /// <summary>The hashes of the files that members have in force, each once, in their order.</summary>
    public IReadOnlyList<string> Hashes =>
        [.. members.Values.Where(member => member.Silence < Patience).Select(member => member.Said.Hash).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Takes what all members have said last.</summary>
    /// <param name="said">By the name of the member; who is missing has said nothing new.</param>
    /// <param name="isRound">Whether this begins another round; a look in between tells who is there, and never who is gone.</param>
    /// <returns>Those of them who are gone.</returns>
    public IReadOnlyList<string> Hear(IReadOnlyDictionary<string, MemberSaying> said, bool isRound)
    {
        foreach (var name in members.Keys.Union(said.Keys).ToArray())
        {
            var before = members.GetValueOrDefault(name);
            if (said.TryGetValue(name, out var now) && now != before?.Said)
            {
                members[name] = new Member(now, Silence: 0);
            }
            else if (isRound)
            {
                members[name] = before! with { Silence = before.Silence + 1 };
            }
        }

        string[] gone = [.. members.Where(member => member.Value.Silence >= Patience).Select(member => member.Key)];
        foreach (var name in gone.Where(name => !said.ContainsKey(name)))
        {
            members.Remove(name);
        }

        return [.. gone.Where(said.ContainsKey)];
    }

    private sealed record Member(MemberSaying Said, int Silence);
}
