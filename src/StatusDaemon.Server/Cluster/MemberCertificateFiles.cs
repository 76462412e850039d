namespace StatusDaemon.Cluster;

/// <summary>Absolute paths of a member's own certificates, all PEM.</summary>
/// <param name="Certificate">The member's certificate, for both client and server authentication; intermediates may follow it.</param>
/// <param name="Key">Its private key, not encrypted; the file of the certificate may hold it too.</param>
/// <param name="Authority">The roots whose certificates make a member. They must sign members of this cluster and nothing else.</param>
internal sealed record MemberCertificateFiles(string Certificate, string Key, string Authority);
