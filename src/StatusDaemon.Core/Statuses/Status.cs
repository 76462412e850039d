namespace StatusDaemon.Statuses;

/// <summary>What a lamp shows of a subscriber. The numbers are the wire's (docs/protocol.md §3) and never change.</summary>
public enum Status : byte
{
    /// <summary>Available (доступен).</summary>
    Enable = 1,

    /// <summary>In a call or otherwise busy (занят).</summary>
    Busy = 2,

    /// <summary>No device is there (не зарегистрирован).</summary>
    NotRegistered = 3,

    /// <summary>It is ringing (входящий вызов). What is owed to a slow reader goes out in this state first.</summary>
    Incoming = 4,

    /// <summary>Asks for quiet (не беспокоить).</summary>
    DoNotDisturb = 5,

    /// <summary>Away (отсутствует).</summary>
    Absent = 6,

    /// <summary>Calls are forwarded (включена переадресация).</summary>
    Forwarding = 7,

    /// <summary>Nothing was ever published, or the watcher may not see it (неизвестен).</summary>
    Unknown = 8,
}
