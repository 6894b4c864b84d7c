namespace Millrace.Connectors.Rpc;

/// <summary>Limits of calls by JSON-RPC: mcp and a2a.</summary>
public sealed record RpcSettings
{
    /// <summary>Bytes of one message, in either direction.</summary>
    public int MessageBytesMax { get; init; } = 16 << 20;

    /// <summary>Bytes of all messages of one call that come in together.</summary>
    public long CallBytesMax { get; init; } = 64L << 20;

    /// <summary>A call that takes longer is given up, unless the task says otherwise.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromMinutes(10);
}
