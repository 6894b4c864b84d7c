namespace Millrace.Connectors.Http;

/// <summary>Limits of outgoing requests, and where they go. Every value has to be positive.</summary>
public sealed record HttpSettings
{
    /// <summary>Bytes of one response's content, after decompression, that are read at most.</summary>
    public long ResponseBytesMax { get; init; } = 64L << 20;

    /// <summary>Bytes of one request's content that are sent at most.</summary>
    public long RequestBytesMax { get; init; } = 64L << 20;

    /// <summary>KiB of one response's headers that are read at most.</summary>
    public int ResponseHeadersKibMax { get; init; } = 64;

    /// <summary>Redirects followed at most where the author lets them be followed.</summary>
    public int RedirectsMax { get; init; } = 10;

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From sending a request until its response's headers; each redirect starts it again.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>The whole call: tokens, redirects and content together.</summary>
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Connections are opened anew after this time, so that changes of DNS are seen.</summary>
    public TimeSpan PooledConnectionLifetime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Hosts whose requests go to another address (scheme, host and port), for gateways and for tests. Documents, outputs and errors keep
    /// the name that the author wrote, and the Host header carries it.
    /// </summary>
    public IReadOnlyDictionary<string, Uri> HostOverrides { get; init; } = new Dictionary<string, Uri>();

    /// <summary>A file of certificates (PEM) that may vouch for servers besides those that the system trusts; null: none.</summary>
    public string? AuthoritiesFile { get; init; }

    /// <exception cref="ArgumentException">A limit is not positive.</exception>
    internal HttpSettings Checked()
    {
        if (ResponseBytesMax <= 0 || RequestBytesMax <= 0 || ResponseHeadersKibMax <= 0 || RedirectsMax < 0)
            throw new ArgumentException("The limits of HttpSettings have to be positive.");
        if (ResponseBytesMax > 1 << 30) throw new ArgumentException("HttpSettings.ResponseBytesMax may be 1 GiB at most; content is held in memory.");
        if (ConnectTimeout <= TimeSpan.Zero || ResponseTimeout <= TimeSpan.Zero || TotalTimeout <= TimeSpan.Zero || PooledConnectionLifetime <= TimeSpan.Zero)
            throw new ArgumentException("The times of HttpSettings have to be positive.");
        return this;
    }
}
