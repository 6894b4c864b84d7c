using Millrace.Testing.Virtual;

namespace Millrace.Testing.Disk;

/// <summary>
/// A file as the system shows it, beside the file as the platter holds it. Between them lie the writes since the last sync; when
/// the power goes, any sectors of them may have reached the platter and any may not.
/// </summary>
internal sealed class SimulatedFile
{
    private const int Sector = 512;

    private readonly List<Change> _unsynced = [];
    private byte[] _shown = [];
    private byte[] _durable = [];
    private int _durableLength;
    private bool _durableExists;

    public bool Exists { get; private set; }

    /// <summary>It was made since its folder was last synced.</summary>
    public bool IsNew => Exists && !_durableExists;
    public int Length { get; private set; }

    public void Create()
    {
        Exists = true;
        Truncate(0);
    }

    /// <param name="durably">The folder is synced as well.</param>
    public void Delete(bool durably)
    {
        Exists = false;
        if (durably) _durableExists = false;
    }

    /// <returns>How many bytes there were.</returns>
    public int Read(Span<byte> into, long offset)
    {
        var there = (int)Math.Clamp(Length - offset, 0, into.Length);
        _shown.AsSpan((int)Math.Min(offset, Length), there).CopyTo(into);
        into[there..].Clear();
        return there;
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        _unsynced.Add(new Change((int)offset, bytes.ToArray()));
        Length = Put(ref _shown, Length, bytes, (int)offset);
    }

    public void Truncate(long length)
    {
        _unsynced.Add(new Change((int)length, null));
        if (length < Length) _shown.AsSpan((int)length, Length - (int)length).Clear();
        else Grow(ref _shown, (int)length);
        Length = (int)length;
    }

    public void Sync()
    {
        foreach (var change in _unsynced) Settle(change);
        _unsynced.Clear();
    }

    /// <summary>The folder was synced: which names it holds is on the platter.</summary>
    public void SyncName() => _durableExists = Exists;

    /// <summary>The sync was refused. As with Linux, the system takes what it could not write for written: no later sync writes it.</summary>
    public void FailSync(Dice dice)
    {
        foreach (var change in _unsynced)
        {
            if (dice.Chance(0.5)) Settle(change);
        }

        _unsynced.Clear();
    }

    /// <summary>The power goes; afterwards the file is what the platter holds.</summary>
    /// <param name="kept">How likely a sector written since the last sync is to be there.</param>
    public void LosePower(Dice dice, double kept)
    {
        foreach (var change in _unsynced)
        {
            if (change.Bytes is null)
            {
                if (dice.Chance(kept)) Settle(change);
                continue;
            }

            foreach (var part in change.Sectors(Sector))
            {
                if (dice.Chance(kept)) Settle(part);
            }
        }

        _unsynced.Clear();
        // The name of a file that was made or deleted since may be there or not.
        if (Exists != _durableExists) _durableExists = dice.Chance(kept) ? Exists : _durableExists;
        Exists = _durableExists;
        if (!Exists) _durableLength = 0;
        _shown = _durable[.._durableLength];
        Length = _durableLength;
    }

    private void Settle(Change change)
    {
        if (change.Bytes is { } bytes)
        {
            _durableLength = Put(ref _durable, _durableLength, bytes, change.At);
            return;
        }

        if (change.At < _durableLength) _durable.AsSpan(change.At, _durableLength - change.At).Clear();
        else Grow(ref _durable, change.At);
        _durableLength = change.At;
    }

    private static int Put(ref byte[] content, int length, ReadOnlySpan<byte> bytes, int offset)
    {
        Grow(ref content, offset + bytes.Length);
        bytes.CopyTo(content.AsSpan(offset));
        return Math.Max(length, offset + bytes.Length);
    }

    private static void Grow(ref byte[] content, int length)
    {
        if (content.Length < length) Array.Resize(ref content, Math.Max(length, content.Length * 2));
    }

    /// <param name="Bytes">Null for a change of length, to <paramref name="At"/>.</param>
    private readonly record struct Change(int At, byte[]? Bytes)
    {
        public IEnumerable<Change> Sectors(int size)
        {
            for (var from = 0; from < Bytes!.Length;)
            {
                var length = Math.Min(size - ((At + from) % size), Bytes.Length - from);
                yield return new Change(At + from, Bytes[from..(from + length)]);
                from += length;
            }
        }
    }
}
