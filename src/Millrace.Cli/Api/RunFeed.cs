using System.Globalization;
using System.Runtime.CompilerServices;
using Millrace.Jq;

namespace Millrace.Cli.Api;

/// <summary>What a follower of a run gets to see.</summary>
internal abstract record FeedItem
{
    /// <summary>A durable record, each exactly once and in order.</summary>
    public sealed record Recorded(long Seq, string At, Json Run, Json Steps) : FeedItem;

    /// <summary>Output that is shown and not kept.</summary>
    public sealed record Shown(int Step, string Channel, Json Data) : FeedItem;

    /// <summary>The connection was lost; it is tried again.</summary>
    public sealed record Disconnected(string Reason) : FeedItem;
}

/// <summary>Follows a run to its end over Server-Sent Events and resumes after a lost connection, without gap or duplicate.</summary>
internal sealed class RunFeed(ServerClient client, TimeProvider time)
{
    /// <summary>The server sends a heartbeat every 15 s; three missing ones mean that nobody is there.</summary>
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(45);

    /// <summary>How long a server may stay away before the follower gives up.</summary>
    private static readonly TimeSpan AbsenceMax = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan DelayMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(5);

    private long _position = -1;
    private bool _ended;

    /// <param name="after">Sequence number after which to begin; -1 is before the first.</param>
    public async IAsyncEnumerable<FeedItem> FollowAsync(string run, long after, [EnumeratorCancellation] CancellationToken cancel)
    {
        _position = after;
        var delay = DelayMin;
        var lastSign = time.GetTimestamp();
        while (!_ended)
        {
            string? lost = null;
            await using var items = ReadAsync(run, cancel).GetAsyncEnumerator(cancel);
            while (lost is null && !_ended)
            {
                try
                {
                    if (!await items.MoveNextAsync()) lost = "the stream ended";
                }
                catch (Exception e) when (e is IOException or HttpRequestException or UnreachableException or TimeoutException)
                {
                    lost = e.Message;
                }
                if (lost is not null || _ended) break;
                (delay, lastSign) = (DelayMin, time.GetTimestamp());
                yield return items.Current;
            }
            if (_ended || lost is null) yield break;
            if (time.GetElapsedTime(lastSign) > AbsenceMax) throw new UnreachableException(client.Address, $"{lost}; the run goes on there. See it again with: millrace runs watch {run}");
            yield return new FeedItem.Disconnected(lost);
            await Task.Delay(delay, time, cancel);
            delay = delay * 2 > DelayMax ? DelayMax : delay * 2;
        }
    }

    private async IAsyncEnumerable<FeedItem> ReadAsync(string run, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var answer = await client.OpenStreamAsync($"api/v1/runs/{run}/stream", _position >= 0 ? _position : null, cancel);
        using var silence = new CancellationTokenSource(SilenceMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, silence.Token);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancel));
        await using var messages = ServerSentEvents.ReadAsync(reader, either.Token).GetAsyncEnumerator(CancellationToken.None);
        while (true)
        {
            try
            {
                if (!await messages.MoveNextAsync()) yield break;
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                throw new TimeoutException($"nothing was heard for {SilenceMax.TotalSeconds:0} s");
            }
            silence.CancelAfter(SilenceMax);
            if (Understand(messages.Current) is { } item) yield return item;
            if (_ended) yield break;
        }
    }

    private FeedItem? Understand(ServerSentEvent message)
    {
        switch (message.Event)
        {
            case "record":
                var record = JsonText.Parse(message.Data);
                var seq = long.Parse(message.Id ?? "0", CultureInfo.InvariantCulture);
                if (seq <= _position) return null;
                _position = seq;
                return new FeedItem.Recorded(seq, record["at"].StringOrNull ?? "", record["run"], record["steps"]);
            case "live":
                var live = JsonText.Parse(message.Data);
                return live["step"].IsNumber ? new FeedItem.Shown((int)live["step"].AsNumber(), live["channel"].StringOrNull ?? "", live["data"]) : null;
            case "end":
                _ended = true;
                return null;
            default:
                return null;
        }
    }
}
