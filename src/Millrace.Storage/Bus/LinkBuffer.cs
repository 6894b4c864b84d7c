using System.Threading.Channels;

namespace Millrace.Storage.Bus;

/// <summary>
/// Messages on their way through a link, at most so many and so large. The oldest make room for new ones, and the topics that
/// lost something are remembered until the reader takes them.
/// </summary>
internal sealed class LinkBuffer(int messagesMax, long bytesMax)
{
    /// <summary>Stands for all topics in <see cref="Take"/>: too many to tell them apart lost something.</summary>
    public const string Everything = "";

    private const int LostTopicsMax = 1024;
    private const int OverheadBytes = 128;

    private readonly Lock _lock = new();
    private readonly Queue<LinkMessage> _messages = new();
    private readonly HashSet<string> _lost = new(StringComparer.Ordinal);
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private long _bytes;

    public void Add(in LinkMessage message)
    {
        lock (_lock)
        {
            _messages.Enqueue(message);
            _bytes += Cost(message);
            StorageMetrics.LinkQueued.Add(1);
            while (_messages.Count > messagesMax || _bytes > bytesMax)
            {
                StorageMetrics.LinkDropped.Add(1);
                MarkLost(Dequeue());
            }
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>Remembers what was taken and did not arrive.</summary>
    public void Lose(IEnumerable<LinkMessage> messages, IEnumerable<string> topics)
    {
        lock (_lock)
        {
            foreach (var message in messages) MarkLost(message);
            foreach (var topic in topics) MarkLost(topic);
            if (_lost.Count == 0) return;
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>Waits until there may be something to take.</summary>
    public async ValueTask WaitAsync(CancellationToken cancel) => await _signal.Reader.ReadAsync(cancel);

    /// <summary>Takes the oldest messages, and the topics that lost something before them.</summary>
    public (List<LinkMessage> Messages, string[] Lost) Take(int max)
    {
        lock (_lock)
        {
            var messages = new List<LinkMessage>(Math.Min(max, _messages.Count));
            while (messages.Count < max && _messages.Count > 0) messages.Add(Dequeue());
            string[] lost = [.. _lost];
            _lost.Clear();
            if (_messages.Count > 0) _signal.Writer.TryWrite(true);
            return (messages, lost);
        }
    }

    private static int Cost(in LinkMessage message) => message.Payload.Length + OverheadBytes;

    private LinkMessage Dequeue()
    {
        var message = _messages.Dequeue();
        _bytes -= Cost(message);
        StorageMetrics.LinkQueued.Add(-1);
        return message;
    }

    private void MarkLost(in LinkMessage message)
    {
        if (!message.IsLiveOutput) MarkLost(message.Topic);
    }

    private void MarkLost(string topic)
    {
        if (_lost.Contains(Everything)) return;
        if (topic == Everything || _lost.Count == LostTopicsMax)
        {
            _lost.Clear();
            topic = Everything;
        }

        _lost.Add(topic);
    }
}
