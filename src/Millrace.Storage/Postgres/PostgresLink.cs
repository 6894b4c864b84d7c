using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Millrace.Storage.Bus;
using Npgsql;

namespace Millrace.Storage.Postgres;

/// <summary>
/// The database's own notification (<c>LISTEN</c>, <c>NOTIFY</c>) as a link: wake-ups of workers and changes of workspaces. What single
/// runs do is too much for it: who follows one reads the log now and then.
/// </summary>
public sealed class PostgresLink : BusLink
{
    private const string Channel = "millrace";

    /// <summary>In the place of a topic: messages of any may have been dropped.</summary>
    private const string Everything = "*";

    /// <summary>Characters; PostgreSQL takes less than 8,000 bytes.</summary>
    private const int PayloadCharsMax = 4_000;

    /// <summary>Messages that may wait to be sent.</summary>
    private const int WaitingMax = 4_096;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly string _settings;
    private readonly string _sender = Guid.NewGuid().ToString("N");
    private readonly ConcurrentDictionary<string, bool> _followed = new(StringComparer.Ordinal);

    /// <summary>What is to be sent, by topic and payload: the same wake-up twice is one.</summary>
    private readonly ConcurrentDictionary<(string Topic, string Payload), long> _waiting = new();

    private readonly Channel<bool> _news = System.Threading.Channels.Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly Task _running;
    private volatile bool _up;

    /// <summary>More was to be sent than may wait: the others are told so.</summary>
    private volatile bool _dropped;

    private PostgresLink(string settings, Action<LinkMessage> received, TimeProvider time)
        : base(received)
    {
        (_settings, _time) = (settings, time);
        _running = Task.WhenAll(Task.Run(() => KeepAsync(ListenAsync)), Task.Run(() => KeepAsync(SendAsync)));
    }

    public override bool IsUp => _up;

    /// <summary>Begins to connect, and goes on trying for as long as the link lives.</summary>
    /// <exception cref="ArgumentException">The URI is wrong.</exception>
    public static PostgresLink Open(string uri, Action<LinkMessage> received, TimeProvider? time = null)
    {
        var settings = new PostgresOptions().Complete(PostgresOptions.ConnectionOf(uri), "link");
        settings.Pooling = false;
        // A hint that a crash of the server forgets costs a poll interval.
        settings.Options += " -c synchronous_commit=off";
        return new PostgresLink(settings.ConnectionString, received, time ?? TimeProvider.System);
    }

    public override void Send(string topic, long position, ReadOnlyMemory<byte> payload)
    {
        if (topic.StartsWith("run:", StringComparison.Ordinal)) return;
        var text = Convert.ToBase64String(payload.Span);
        if (text.Length > PayloadCharsMax) text = "";
        Wait((topic, text), position);
        _news.Writer.TryWrite(true);
    }

    public override void Follow(string topic)
    {
        _followed[topic] = true;
        RaiseLost(topic);
    }

    public override void Unfollow(string topic) => _followed.TryRemove(topic, out _);

    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    /// <summary>A connection that breaks is followed by another.</summary>
    private async Task KeepAsync(Func<NpgsqlConnection, CancellationToken, Task> work)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(_settings);
                await connection.OpenAsync(_stop.Token);
                await work(connection, _stop.Token);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or OperationCanceledException)
            {
                // Tried again below.
            }

            try
            {
                if (!_stop.IsCancellationRequested) await Task.Delay(Pause, _time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                // Disposed.
            }
        }
    }

    private async Task ListenAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        connection.Notification += (_, e) => Arrived(e.Payload);
        await using (var listen = new NpgsqlCommand($"listen {Channel}", connection)) await listen.ExecuteNonQueryAsync(cancel);
        RaiseLost(null);
        _up = true;
        RaiseChanged(true);
        try
        {
            while (true) await connection.WaitAsync(cancel);
        }
        finally
        {
            _up = false;
            RaiseChanged(false);
        }
    }

    private async Task SendAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var notify = new NpgsqlCommand($"select pg_notify('{Channel}', t) from unnest($1) as t", connection);
        while (true)
        {
            await _news.Reader.ReadAsync(cancel);
            var dropped = _dropped;
            _dropped = false;
            var taken = new List<KeyValuePair<(string Topic, string Payload), long>>();
            foreach (var key in _waiting.Keys)
            {
                if (_waiting.TryRemove(key, out var position)) taken.Add(KeyValuePair.Create(key, position));
            }

            if (taken.Count == 0 && !dropped) continue;
            var texts = taken.ConvertAll(t => string.Create(CultureInfo.InvariantCulture, $"{_sender} {t.Key.Topic} {t.Value} {t.Key.Payload}"));
            if (dropped) texts.Add($"{_sender} {Everything} 0 ");
            notify.Parameters.Clear();
            notify.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. texts] });
            try
            {
                await notify.ExecuteNonQueryAsync(cancel);
            }
            catch
            {
                // Perhaps it was sent: a hint that comes twice costs nothing, one that never comes a poll interval.
                foreach (var (key, position) in taken) Wait(key, position);
                if (dropped) _dropped = true;
                _news.Writer.TryWrite(true);
                throw;
            }
        }
    }

    private void Wait((string Topic, string Payload) message, long position)
    {
        if (_waiting.Count < WaitingMax || _waiting.ContainsKey(message)) _waiting.AddOrUpdate(message, static (_, p) => p, static (_, last, p) => Math.Max(last, p), position);
        else _dropped = true;
    }

    private void Arrived(string text)
    {
        if (text.Split(' ') is not [var sender, var topic, var at, var payload] || sender == _sender) return;
        if (topic == Everything) RaiseLost(null);
        if (!_followed.ContainsKey(topic)) return;
        if (!long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var position)) return;
        Span<byte> bytes = stackalloc byte[PayloadCharsMax];
        if (Convert.TryFromBase64String(payload, bytes, out var length)) Deliver(new LinkMessage(topic, position, bytes[..length].ToArray()));
    }
}
