using System.Text;
using Millrace.Testing.Virtual;

namespace Millrace.Simulation.World;

/// <summary>
/// What a server writes Server-Sent Events to, and what arrives. It is slow now and then, and may break in the middle of a message; a message counts when all of it has come.
/// </summary>
/// <param name="server">The process that writes.</param>
/// <param name="slowness">How long a write takes when it takes long.</param>
/// <param name="lost">Sabotage: how likely a message does not arrive.</param>
internal sealed class Connection(Process server, Dice dice, TimeSpan slowness, double lost, Action<long?, string, string> arrived) : Stream
{
    private readonly CancellationTokenSource _broken = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StringBuilder _text = new();

    /// <summary>The server sees that nobody is there any more.</summary>
    public CancellationToken Aborted => _broken.Token;

    /// <summary>Ends when either side has closed it.</summary>
    public Task Closed => _closed.Task;

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>The client goes; what comes later does not arrive.</summary>
    public void Break()
    {
        _closed.TrySetResult();
        // Who serves a dead process' connections has gone with it.
        server.Go(() =>
        {
            _broken.Cancel();
            return Task.CompletedTask;
        });
    }

    /// <summary>The server has no more to say.</summary>
    public void End() => _closed.TrySetResult();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (slowness > TimeSpan.Zero && dice.Chance(0.3)) await server.DelayAsync(dice.Span(slowness));
        cancellationToken.ThrowIfCancellationRequested();
        if (_closed.Task.IsCompleted) throw new IOException("The connection is closed.");
        if (lost > 0 && dice.Chance(lost)) return;
        var text = Encoding.UTF8.GetString(buffer.Span);
        // A part of it is on its way when the client goes.
        var half = dice.Below(text.Length);
        Take(text[..half]);
        if (dice.Chance(0.3)) await server.DelayAsync(dice.Span(TimeSpan.FromMilliseconds(2)));
        Take(text[half..]);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override void Flush() => throw new NotSupportedException();
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Take(string text)
    {
        if (_closed.Task.IsCompleted) return;
        _text.Append(text);
        while (_text.ToString() is var come && come.IndexOf("\n\n", StringComparison.Ordinal) is >= 0 and var end)
        {
            _text.Remove(0, end + 2);
            Read(come[..end]);
        }
    }

    private void Read(string message)
    {
        long? id = null;
        var (name, data) = ("", "");
        foreach (var line in message.Split('\n'))
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = long.Parse(line[4..], System.Globalization.CultureInfo.InvariantCulture);
            else if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
        }
        if (name != "") arrived(id, name, data);
    }
}
