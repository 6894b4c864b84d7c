namespace Millrace.Connectors.Grpc;

/// <summary>Limits of gRPC calls.</summary>
public sealed record GrpcSettings
{
    /// <summary>Bytes of one message, in either direction.</summary>
    public int MessageBytesMax { get; init; } = 16 << 20;

    /// <summary>Bytes of all messages of one call that come in together.</summary>
    public long CallBytesMax { get; init; } = 64L << 20;

    /// <summary>Messages that one call gets at most.</summary>
    public int MessagesMax { get; init; } = 100_000;

    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Bytes of one proto file, and files of one service with all they import.</summary>
    public int ProtoBytesMax { get; init; } = 2 << 20;

    public int ProtoFilesMax { get; init; } = 100;

    /// <summary>Services that are kept parsed, and how long.</summary>
    public int ProtosMax { get; init; } = 64;

    public TimeSpan ProtoLifetime { get; init; } = TimeSpan.FromMinutes(5);
}
