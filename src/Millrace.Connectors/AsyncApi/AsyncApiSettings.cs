namespace Millrace.Connectors.AsyncApi;

/// <summary>Limits of AsyncAPI calls.</summary>
public sealed record AsyncApiSettings
{
    public int DocumentBytesMax { get; init; } = 8 << 20;

    /// <summary>Parsed documents that are kept at once, and how long.</summary>
    public int DocumentsMax { get; init; } = 64;

    public TimeSpan DocumentLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Bytes of one message, in either direction.</summary>
    public int MessageBytesMax { get; init; } = 1 << 20;

    /// <summary>Messages that one subscription consumes at most.</summary>
    public int MessagesMax { get; init; } = 10_000;

    /// <summary>Messages that have come and wait to be looked at; while there are more, none is read.</summary>
    public int WaitingMax { get; init; } = 256;

    /// <summary>Publishing, and opening a connection.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromMinutes(1);
}
