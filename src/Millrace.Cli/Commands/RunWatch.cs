using Millrace.Cli.Api;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;
using Spectre.Console;

namespace Millrace.Cli.Commands;

/// <summary>Follows a run on the terminal and says at the end what came of it.</summary>
internal sealed class RunWatch(Session session, bool plain)
{
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(100);

    private readonly Terminal _terminal = session.Terminal;

    /// <returns>The exit code that fits the run's end.</returns>
    public async Task<int> FollowAsync(Json run, List<Pushed> pushed, CancellationToken cancel)
    {
        var id = run["id"].AsString();
        var feed = new RunFeed(session.Client, _terminal.Time).FollowAsync(id, after: -1, cancel);
        var progress = new RunProgress(session.Json ? 0 : await CountNodesAsync(run["definition"], cancel));
        if (session.Json) await QuietAsync(feed, progress);
        else if (_terminal.Live && !plain) await LiveAsync(feed, progress, Title(run), cancel);
        else await PlainAsync(feed, progress);
        return await ConcludeAsync(id, pushed, cancel);
    }

    private static string Title(Json run) => $"{run["definition"]["namespace"].StringOrNull}/{run["definition"]["name"].StringOrNull}:{run["definition"]["version"].StringOrNull}";

    private async Task<int> CountNodesAsync(Json definition, CancellationToken cancel)
    {
        var graph = await session.Client.GetAsync($"{DefinitionReference.Of(definition).VersionPath}/graph", cancel);
        return graph["nodes"].ArrayOrNull?.Count ?? 0;
    }

    private static async Task QuietAsync(IAsyncEnumerable<FeedItem> feed, RunProgress progress)
    {
        await foreach (var item in feed)
            if (item is FeedItem.Recorded record) progress.Apply(record.Run, record.Steps);
    }

    private async Task PlainAsync(IAsyncEnumerable<FeedItem> feed, RunProgress progress)
    {
        var lines = new RunLines(_terminal);
        await foreach (var item in feed)
        {
            switch (item)
            {
                case FeedItem.Recorded record: lines.Record(progress, progress.Apply(record.Run, record.Steps), record.At); break;
                case FeedItem.Shown shown: lines.Sign(progress.Find(shown.Step), shown.Channel, shown.Data); break;
                case FeedItem.Disconnected lost: _terminal.Note($"connection lost ({lost.Reason}), trying again"); break;
            }
        }
    }

    private async Task LiveAsync(IAsyncEnumerable<FeedItem> feed, RunProgress progress, string title, CancellationToken cancel)
    {
        var note = "";
        var gate = new Lock();
        await _terminal.Screen().Live(new Text("")).StartAsync(async screen =>
        {
            var end = new TaskCompletionSource();
            var drawing = DrawAsync(screen, end.Task);
            try
            {
                await foreach (var item in feed)
                    lock (gate) note = Take(item, progress) ?? note;
            }
            finally
            {
                end.SetResult();
                await drawing;
            }
        });

        // Durations move on while nothing happens, so the picture is drawn by the clock and not by the records.
        async Task DrawAsync(LiveDisplayContext screen, Task end)
        {
            while (true)
            {
                var last = end.IsCompleted;
                lock (gate)
                {
                    var picture = LiveTree.Draw(progress, title, _terminal.Time.GetUtcNow(), _terminal.Height);
                    screen.UpdateTarget(note.Length == 0 || last ? picture : new Rows(picture, new Text(note, new Style(Color.Yellow))));
                }
                if (last) return;
                await Task.WhenAny(end, Task.Delay(Redraw, _terminal.Time, cancel));
            }
        }
    }

    private static string? Take(FeedItem item, RunProgress progress)
    {
        switch (item)
        {
            case FeedItem.Recorded record:
                progress.Apply(record.Run, record.Steps);
                return "";
            case FeedItem.Shown shown:
                if (progress.Find(shown.Step) is { } step) step.LastSign = shown.Data.StringOrNull ?? shown.Data.ToString();
                return null;
            case FeedItem.Disconnected lost:
                return $"connection lost ({lost.Reason}), trying again";
            default:
                return null;
        }
    }

    private async Task<int> ConcludeAsync(string id, List<Pushed> pushed, CancellationToken cancel)
    {
        var run = await session.Client.GetAsync($"api/v1/runs/{id}", cancel);
        var state = run["state"].StringOrNull;
        var output = state == "completed" ? await session.Client.GetAsync($"api/v1/runs/{id}/output", cancel) : Json.Null;
        var artifacts = (await session.Client.GetAsync($"api/v1/runs/{id}/artifacts", cancel))["items"];
        if (session.Json)
        {
            var all = JsonObject.Empty.With("run", run).With("output", output).With("artifacts", artifacts);
            _terminal.Print(all.With("pushed", JsonArray.Of(pushed.Select(p => p.Definition.ToJson()).ToList())));
        }
        else
        {
            Say(run, output, artifacts);
        }
        return state switch { "completed" => Exit.Completed, "cancelled" => Exit.Cancelled, _ => Exit.Faulted };
    }

    private void Say(Json run, Json output, Json artifacts)
    {
        var state = run["state"].StringOrNull;
        _terminal.Line();
        _terminal.Line($"run {run["id"].StringOrNull} {_terminal.Paint(state ?? "", state == "completed" ? Ink.Good : Ink.Bad)} in {Times.Between(run["startedAt"].StringOrNull ?? run["createdAt"].StringOrNull, run["endedAt"].StringOrNull, _terminal.Time.GetUtcNow())}");
        if (state == "completed") _terminal.PrintIndented(output);
        if (run["error"].IsObject) SayError(run["error"]);
        if (run["reason"].StringOrNull is { } reason) _terminal.Line($"reason: {Terminal.Clean(reason)}");
        foreach (var artifact in artifacts.ArrayOrNull ?? JsonArray.Empty)
            _terminal.Line($"artifact {Terminal.Clean(artifact["name"].StringOrNull ?? "")}: {Terminal.Clean(artifact["path"].StringOrNull ?? new Uri(session.Client.Address, artifact["href"].StringOrNull ?? "").ToString())}");
    }

    private void SayError(Json error)
    {
        _terminal.Line($"{_terminal.Paint("error", Ink.Bad)} {Terminal.Clean(RunLines.ErrorText(error))}");
        if (error["instance"].StringOrNull is { } instance) _terminal.Line($"  raised by {Terminal.Clean(instance)}");
    }
}
