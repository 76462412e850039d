namespace StatusDaemon.Auth;

/// <summary>Why nobody was let in, for counting: the <c>reason</c> of <c>statusd.logins</c>. The words for people are in the log.</summary>
internal enum RefusalReason
{
    /// <summary>Not a token at all: cut short, not base64, too large, two of them.</summary>
    Garbage,

    /// <summary>A token or scheme of another mechanism, such as NTLM or Basic.</summary>
    NotKerberos,

    /// <summary>The same token came before. Clients make a new one for every try.</summary>
    Replay,

    /// <summary>The client's clock and ours differ by more than Kerberos allows.</summary>
    Skew,

    /// <summary>The ticket has ended, or has not begun.</summary>
    Expired,

    /// <summary>The ticket is not under a key of our keytab, or was tampered with.</summary>
    WrongKey,

    /// <summary>The ticket is for another service, with or without a key in our keytab.</summary>
    WrongService,

    /// <summary>The client's realm is not in <c>AUTH.realms</c>.</summary>
    ForeignRealm,

    /// <summary>The trusted header is missing or not a UID.</summary>
    BadHeader,

    /// <summary>A good ticket of somebody whom no directory knows.</summary>
    NotSubscriber,

    /// <summary>A page of another origin asked with the user's ticket.</summary>
    Origin,

    /// <summary>What the library says and we have no name for.</summary>
    Other,
}
