namespace Millrace.Testing.Disk;

/// <summary>A file opened by one connection: its locks, and what SQLite asks of it. Numbers are SQLite's result codes.</summary>
internal sealed class OpenFile
{
    private const int Ok = 0, Busy = 5, IoError = 10, Full = 13, ShortRead = 522, WriteError = 778, SyncError = 1034;
    private const int Shared = 1, Reserved = 2, Pending = 3, Exclusive = 4;
    private const int ShmUnlock = 1, ShmShared = 4;

    private readonly SimulatedDisk _disk;
    private readonly SimulatedFile _file;
    private readonly string _path;
    private readonly int _life;
    private readonly List<OpenFile> _others;
    private SharedIndex? _index;
    private int _level;
    private int _sharedSlots;
    private int _ownSlots;

    public OpenFile(SimulatedDisk disk, string path, List<OpenFile> others)
    {
        (_disk, _path, _life, _others) = (disk, path, disk.Life, others);
        _file = disk.File(path);
        if (!_file.Exists) _file.Create();
        others.Add(this);
    }

    /// <summary>Set for a file that vanishes with its last user.</summary>
    public bool DeletesOnClose { get; init; }

    private bool IsGone => _life != _disk.Life;

    public void Close()
    {
        _others.Remove(this);
        if (DeletesOnClose && !IsGone) _file.Delete(durably: false);
    }

    public int Read(Span<byte> into, long offset)
    {
        if (IsGone) return IoError;
        return _file.Read(into, offset) == into.Length ? Ok : ShortRead;
    }

    public int Write(ReadOnlySpan<byte> bytes, long offset)
    {
        if (IsGone) return IoError;
        if (_disk.WritesToRefuse > 0)
        {
            _disk.WritesToRefuse--;
            return WriteError;
        }

        if (_disk.IsFull && offset + bytes.Length > _file.Length) return Full;
        _file.Write(bytes, offset);
        return Ok;
    }

    public int Truncate(long length)
    {
        if (IsGone) return IoError;
        _file.Truncate(length);
        return Ok;
    }

    public int Sync()
    {
        if (IsGone) return IoError;
        return _disk.TrySync(_file) ? Ok : SyncError;
    }

    public long Length => IsGone ? 0 : _file.Length;

    public int Lock(int level)
    {
        if (IsGone) return IoError;
        if (_level >= level) return Ok;
        var highest = Live().Select(o => o._level).DefaultIfEmpty(0).Max();
        switch (level)
        {
            case Shared when highest >= Pending:
            case Reserved when highest >= Reserved:
            case Exclusive when highest >= Reserved:
                return Busy;
            case Exclusive when highest >= Shared:
                _level = Pending;
                return Busy;
        }

        _level = level;
        return Ok;
    }

    public void Unlock(int level) => _level = Math.Min(_level, level);

    public bool IsReserved => _level >= Reserved || Live().Any(o => o._level >= Reserved);

    public nint MapIndex(int region, int size, bool make)
    {
        if (IsGone) return -1;
        if (_index is null)
        {
            if (!_disk.Indexes.TryGetValue(_path, out _index)) _disk.Indexes.Add(_path, _index = new SharedIndex());
            _index.Users.Add(this);
        }

        return _index.Region(region, size, make);
    }

    public int LockIndex(int slot, int count, int flags)
    {
        var slots = ((1 << count) - 1) << slot;
        if ((flags & ShmUnlock) != 0)
        {
            _sharedSlots &= ~slots;
            _ownSlots &= ~slots;
            return Ok;
        }

        if (IsGone) return IoError;
        var isShared = (flags & ShmShared) != 0;
        foreach (var other in _index!.Users)
        {
            if (other == this) continue;
            if (((isShared ? other._ownSlots : other._ownSlots | other._sharedSlots) & slots) != 0) return Busy;
        }

        if (isShared) _sharedSlots |= slots;
        else _ownSlots |= slots;
        return Ok;
    }

    public void UnmapIndex()
    {
        _index?.Leave(this);
        _index = null;
    }

    private IEnumerable<OpenFile> Live() => _others.Where(o => o != this && o._life == _life);
}
