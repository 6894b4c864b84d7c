using Microsoft.Extensions.Logging;
using Millrace.Engine.Functions;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Storage.Bus;

namespace Millrace.Engine.Execution;

/// <summary>What a worker is made of.</summary>
public sealed record EngineParts(
    Database Database, BlobStore Blobs, EventBus Bus, FunctionRegistry Functions, IDefinitionSource Definitions, ISecretSource Secrets,
    TimeProvider Time, ILogger Log)
{
    /// <summary>Joins the bus with those of other processes; null where there are none.</summary>
    public BusLink? Link { get; init; }
    /// <summary>Who lends a thread to a run that something happened to.</summary>
    public WorkPool Pool { get; init; } = WorkPool.Threads;

    /// <summary>Where ids and chance come from.</summary>
    public Func<DateTimeOffset, Guid> NewId { get; init; } = Guid.CreateVersion7;
    public Func<double> Random { get; init; } = System.Random.Shared.NextDouble;
}
