using System.Net;
using Millrace.Connectors.Events;
using Millrace.Connectors.Http;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Platform.Sinks;
using Millrace.Storage;
using Millrace.Testing.Virtual;
using Microsoft.Extensions.Logging;

namespace Millrace.Simulation.World;

/// <summary>An address that a workspace's events are sent to. It outlives every crash, keeps what it took in its order, and refuses now and then.</summary>
internal sealed class Endpoint(Scheduler scheduler, Dice dice)
{
    public static readonly string[] Types =
    [
        "sim.*", "io.serverlessworkflow.workflow.started.v1", "io.serverlessworkflow.workflow.completed.v1", "io.serverlessworkflow.workflow.faulted.v1", "io.serverlessworkflow.workflow.cancelled.v1",
    ];

    /// <summary>How likely it does not take an event, or its answer is lost.</summary>
    public double Refused { get; set; }

    /// <summary>Sabotage: how likely it says that it took what it did not.</summary>
    public double Forgotten { get; init; }

    /// <summary>What it took, in its order.</summary>
    public List<(string Source, string Id)> Taken { get; } = [];

    /// <summary>The sink's row, as somebody makes it before anything happens.</summary>
    public static SinkRow Row(long now, bool structured) => new(Tenant.Default, new Guid("00000000-0000-7000-8000-000000000001"), "sink", "https://sink.example/events", Types, null, structured, false, 0, now, 0, 0, null, null, 86_400_000_000, null, now, now);

    /// <summary>Sends events, as every process of the product does.</summary>
    public async Task WorkAsync(WorkerNode worker, ISecretSource secrets, ILogger<SinkLoop> log)
    {
        using var delivery = new EventDelivery(new HttpSettings(), new Handler(this, worker.Process));
        var loop = new SinkLoop(worker.Database, worker.Engine!, delivery, secrets, worker.Process.Time, log);
        while (true)
        {
            try
            {
                while (worker.IsServing && await loop.RunOnceAsync(default)) { }
            }
            catch (Exception e) when (e is StorageUnavailableException or ObjectDisposedException)
            {
                // It goes on later, here or elsewhere.
            }
            await worker.Process.DelayAsync(TimeSpan.FromSeconds(1));
        }
    }

    private async Task<HttpStatusCode> AnswerAsync(Process process, HttpRequestMessage request)
    {
        await process.DelayAsync(dice.Span(TimeSpan.FromMilliseconds(20)));
        var refused = dice.Chance(Refused);
        if (refused && dice.Chance(0.3)) throw new HttpRequestException("the connection was refused");
        if (refused && dice.Chance(0.5)) return HttpStatusCode.ServiceUnavailable;
        if (Forgotten > 0 && dice.Chance(Forgotten)) return HttpStatusCode.OK;
        using var content = new MemoryStream();
        await request.Content!.CopyToAsync(content);
        var taken = request.Headers.TryGetValues("ce-id", out var id)
            ? (request.Headers.GetValues("ce-source").Single(), id.Single())
            : JsonText.Parse(content.ToArray()) is var e ? (e["source"].AsString(), e["id"].AsString()) : default;
        Taken.Add(taken);
        scheduler.Mix(taken.Item2);
        return refused ? throw new HttpRequestException("the connection was lost before the answer") : HttpStatusCode.OK;
    }

    private sealed class Handler(Endpoint endpoint, Process process) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            new(await endpoint.AnswerAsync(process, request)) { Content = new ByteArrayContent([]) };
    }
}
