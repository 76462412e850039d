using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>Why a watcher sees a publisher or does not.</summary>
public enum VerdictReason : byte
{
    /// <summary>Everyone sees himself.</summary>
    Self,

    /// <summary>A selector of the black list matches: hidden.</summary>
    Black,

    /// <summary>A selector of the white list matches: visible.</summary>
    White,

    /// <summary>There is a white list and none of it matches: hidden.</summary>
    NotWhite,

    /// <summary>No rule speaks of the watcher: <c>PRIVILEGES.default</c> decides.</summary>
    Default,

    /// <summary>No directory knows the publisher: hidden, so that nobody can tell it from one that hides.</summary>
    UnknownPublisher,
}

/// <summary>May this watcher see this publisher, and which rule says so.</summary>
/// <param name="Rule">The selector that matched; null where none did.</param>
public readonly record struct Verdict(bool IsVisible, VerdictReason Reason, Selector? Rule = null);
