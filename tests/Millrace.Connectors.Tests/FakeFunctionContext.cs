using System.Collections.Concurrent;
using System.Security.Cryptography;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Tests;

/// <summary>A run of one step in memory.</summary>
internal sealed class FakeFunctionContext : FunctionContext
{
    private readonly ConcurrentDictionary<string, Json> _steps = new();
    private readonly ConcurrentQueue<(string Channel, Json Data)> _live = new();

    public override Guid Organisation { get; } = Guid.CreateVersion7();
    public override Guid Workspace { get; } = Guid.CreateVersion7();
    public override Guid Run { get; } = Guid.CreateVersion7();
    public override int Step => 1;
    public override string Reference => "/do/0/test";
    public override string IdempotencyKey => $"{Run:N}-1";
    public override TimeProvider Time => Clock;

    public TimeProvider Clock { get; init; } = TimeProvider.System;
    public Dictionary<string, Json> Secrets { get; } = [];
    public Dictionary<string, (string MediaType, byte[] Content)> Artifacts { get; } = [];
    public IReadOnlyList<(string Channel, Json Data)> LiveOutput => [.. _live];

    /// <summary>Called for each piece of live output, on the thread that brings it.</summary>
    public Action<string, Json>? OnLive { get; set; }

    /// <summary>What the run does for an item; true when it wants no more.</summary>
    public Func<int, bool>? Handles { get; set; }

    /// <summary>What goes on while an item is handled.</summary>
    public Func<int, Task>? Meanwhile { get; set; }

    public override bool HasIterator => Handles is not null;

    public override async ValueTask<bool> HandledAsync(int item, CancellationToken cancel)
    {
        if (Meanwhile is { } meanwhile) await meanwhile(item);
        return Handles?.Invoke(item) == true;
    }

    public string LiveText(string channel) => string.Concat(_live.Where(l => l.Channel == channel).Select(l => l.Data.AsString()));

    public override async ValueTask<Json> StepAsync(string name, Func<CancellationToken, ValueTask<Json>> work, CancellationToken cancel)
    {
        if (_steps.TryGetValue(name, out var kept)) return kept;
        return _steps[name] = await work(cancel);
    }

    public override void Live(string channel, Json data)
    {
        _live.Enqueue((channel, data));
        OnLive?.Invoke(channel, data);
    }

    public override void Heartbeat(Json detail = default)
    {
    }

    public override Json? Secret(string name) => Secrets.TryGetValue(name, out var value) ? value : default(Json?);

    public override ValueTask<ArtifactInfo> SaveArtifactAsync(string name, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancel)
    {
        Artifacts[name] = (mediaType, content.ToArray());
        return ValueTask.FromResult(new ArtifactInfo(name, mediaType, content.Length, Convert.ToHexStringLower(SHA256.HashData(content.Span)), $"/blobs/{name}"));
    }
}
