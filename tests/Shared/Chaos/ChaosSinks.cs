using System.Diagnostics;
using System.Net;
using Millrace.Tests.Crash;

namespace Millrace.Tests.Chaos;

/// <summary>Addresses that get the workspace's events: what happens to runs, and what is sent to them.</summary>
internal sealed class ChaosSinks(ChaosCluster cluster, ChaosDoor door, CountingService outside)
{
    private const string Started = "io.serverlessworkflow.workflow.started.v1", Sent = "chaos.";

    /// <summary>Whoever dies while it sends holds back its sink for a while; one that was refused is tried again later and later.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(75);

    private static readonly string[] Ends = ["cancelled", "faulted", "completed"];

    private sealed record Kept(string Source, string Id, string Type);

    public async Task MakeAsync(CancellationToken cancel)
    {
        var types = string.Join(", ", Ends.Select(End).Prepend(Started).Select(t => $"\"{t}\""));
        await MakeAsync("lifecycle", types, "structured", cancel);
        await MakeAsync("sent", $"\"{Sent}*\"", "binary", cancel);
    }

    /// <summary>Waits until nothing is missing any more; as long as less and less is, there is patience.</summary>
    public async Task<ChaosPart> JudgeAsync(IReadOnlyDictionary<string, ChaosRow> rows, ChaosClients clients, CancellationToken cancel)
    {
        var (least, since) = (int.MaxValue, Stopwatch.GetTimestamp());
        while (true)
        {
            var part = await LookAsync(rows, clients, cancel);
            if (part.Complaints.Count < least) (least, since) = (part.Complaints.Count, Stopwatch.GetTimestamp());
            if (least == 0) return part;
            if (Stopwatch.GetElapsedTime(since) > Patience)
            {
                part.Complaints.AddRange(await cluster.QueryAsync("select name, position, due_at - extract(epoch from now()) * 1000000, attempts, error, dead_at from sink",
                    r => $"sink {r[0]} stands at {r[1]}, due in {r[2]} us, after {r[3]} attempts: {r[4]}; given up at {r[5]}", cancel));
                return part;
            }
            await Pause.ForAsync(TimeSpan.FromSeconds(2), cancel);
        }
    }

    private static string End(string state) => $"io.serverlessworkflow.workflow.{state}.v1";

    private async Task MakeAsync(string name, string types, string mode, CancellationToken cancel)
    {
        while (true)
        {
            var body = $$"""{"name": "{{name}}", "url": "{{outside.Address}}sink/{{name}}", "types": [{{types}}], "mode": "{{mode}}"}""";
            var (status, text) = await door.AskAsync("api/v1/sinks", body, null, new Random(0), cancel);
            // 409: an earlier attempt was carried out and its answer lost.
            if (status is HttpStatusCode.Created or HttpStatusCode.Conflict) return;
            await door.SurprisedAsync("sink", status, text, cancel);
        }
    }

    private async Task<ChaosPart> LookAsync(IReadOnlyDictionary<string, ChaosRow> rows, ChaosClients clients, CancellationToken cancel)
    {
        var part = new ChaosPart("sink_faults", "events");
        var kept = await cluster.QueryAsync("select source, id, type from event order by position", r => new Kept(r.GetString(0), r.GetString(1), r.GetString(2)), cancel);
        var lifecycle = kept.FindAll(e => e.Type == Started || Ends.Any(s => e.Type == End(s)));
        JudgeDeliveries(part, "lifecycle", lifecycle);
        JudgeDeliveries(part, "sent", kept.FindAll(e => e.Type.StartsWith(Sent, StringComparison.Ordinal)));
        var told = lifecycle.ToLookup(e => e.Source[(e.Source.LastIndexOf('/') + 1)..], e => e.Type);
        foreach (var row in rows.Values.Where(r => r.State >= ChaosRow.Cancelled)) JudgeRun(part, row.Id, row.Name, row.StateName, row.ForkOf is not null, [.. told[row.Id]]);
        foreach (var (number, id) in clients.Acknowledged.Where(a => clients.Of(a.Key).IsBrief && !rows.ContainsKey(a.Value))) JudgeRun(part, id, clients.Of(number).Name, ChaosKind.Completed, false, [.. told[id]]);
        part.Seen = $"of {lifecycle.Count} about runs and {kept.Count - lifecycle.Count} others: not delivered, delivered out of order, or never told; {outside.Deliveries.Count} deliveries";
        return part;
    }

    /// <summary>Each at least once, and the first times in the order of the log.</summary>
    private void JudgeDeliveries(ChaosPart part, string sink, List<Kept> kept)
    {
        var places = kept.Select((e, i) => (Key: (e.Source, e.Id), Place: i)).ToDictionary(e => e.Key, e => e.Place);
        var seen = new HashSet<int>();
        var last = -1;
        foreach (var came in outside.Deliveries.To(sink))
        {
            if (!places.TryGetValue((came.Source, came.Id), out var place)) part.Complain($"{sink} got {came}, which is not kept");
            else if (seen.Add(place))
            {
                if (place < last) part.Complain($"{sink} got {came}, the {place}., after the {last}.");
                last = Math.Max(last, place);
            }
        }
        for (var i = 0; i < kept.Count; i++)
            if (!seen.Contains(i)) part.Complain($"{sink} has not got {kept[i]}");
    }

    private static void JudgeRun(ChaosPart part, string id, string name, string state, bool isFork, List<string> told)
    {
        // A run that was taken back to a map ends more than once.
        var ends = told.FindAll(t => t != Started);
        var right = ends.Count == 1 || (name == "redriven" && ends.Count > 1);
        if (!right || ends[^1] != End(state)) part.Complain($"{id} of {name} is {state}, and was told as {string.Join(", ", ends)}");
        // What a fork took over was told of its source.
        var starts = told.Count - ends.Count;
        if (starts > 1 || (starts == 0 && !isFork && state == ChaosKind.Completed)) part.Complain($"{id} of {name} is {state}, and was told {starts} times as started");
        if (starts == 1 && told[0] != Started) part.Complain($"{id} of {name} was told as {told[0]} before it was started");
    }
}
