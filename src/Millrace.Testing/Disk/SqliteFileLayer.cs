using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Millrace.Storage.Sqlite;

namespace Millrace.Testing.Disk;

/// <summary>
/// The door by which the real SQLite reaches simulated disks: a file layer ("VFS", https://sqlite.org/vfs.html) registered under a name
/// of its own. Which disk is meant stands in the path.
/// </summary>
internal static unsafe class SqliteFileLayer
{
    public const string Name = "simulated";

    private const int Ok = 0, IoError = 10, NotFound = 12, CannotOpen = 14;
    private const int DeleteOnClose = 8;
    private const int PowersafeOverwrite = 0x1000;

    private static readonly Lock Gate = new();
    private static readonly ConditionalWeakTable<SimulatedDisk, Dictionary<string, List<OpenFile>>> Opened = [];
    private static bool _registered;

    [StructLayout(LayoutKind.Sequential)]
    private struct Layer
    {
        public int Version, FileSize, PathMax;
        public nint Next, LayerName, Data;
        public delegate* unmanaged<nint, byte*, FileHead*, int, int*, int> Open;
        public delegate* unmanaged<nint, byte*, int, int> Delete;
        public delegate* unmanaged<nint, byte*, int, int*, int> Access;
        public delegate* unmanaged<nint, byte*, int, byte*, int> FullPath;
        public nint LibraryOpen, LibraryError, LibrarySymbol, LibraryClose;
        public delegate* unmanaged<nint, int, byte*, int> Randomness;
        public delegate* unmanaged<nint, int, int> Sleep;
        public delegate* unmanaged<nint, double*, int> CurrentTime;
        public delegate* unmanaged<nint, int, byte*, int> LastError;
        public delegate* unmanaged<nint, long*, int> CurrentTimeInt64;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Methods
    {
        public int Version;
        public delegate* unmanaged<FileHead*, int> Close;
        public delegate* unmanaged<FileHead*, byte*, int, long, int> Read;
        public delegate* unmanaged<FileHead*, byte*, int, long, int> Write;
        public delegate* unmanaged<FileHead*, long, int> Truncate;
        public delegate* unmanaged<FileHead*, int, int> Sync;
        public delegate* unmanaged<FileHead*, long*, int> FileSize;
        public delegate* unmanaged<FileHead*, int, int> Lock;
        public delegate* unmanaged<FileHead*, int, int> Unlock;
        public delegate* unmanaged<FileHead*, int*, int> CheckReserved;
        public delegate* unmanaged<FileHead*, int, void*, int> Control;
        public delegate* unmanaged<FileHead*, int> SectorSize;
        public delegate* unmanaged<FileHead*, int> Characteristics;
        public delegate* unmanaged<FileHead*, int, int, int, nint*, int> ShmMap;
        public delegate* unmanaged<FileHead*, int, int, int, int> ShmLock;
        public delegate* unmanaged<FileHead*, void> ShmBarrier;
        public delegate* unmanaged<FileHead*, int, int> ShmUnmap;
    }

    /// <summary>What SQLite allocates for an open file: its methods, and here a handle to the <see cref="OpenFile"/>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FileHead
    {
        public Methods* Methods;
        public nint Handle;

        public static OpenFile Of(FileHead* file) => (OpenFile)GCHandle.FromIntPtr(file->Handle).Target!;
    }

    private static Methods* _methods;

    public static void Register()
    {
        lock (Gate)
        {
            if (_registered) return;
            SqliteLibrary.Bind();
            _methods = (Methods*)NativeMemory.AllocZeroed((nuint)sizeof(Methods));
            *_methods = new Methods
            {
                Version = 2,
                Close = &Close,
                Read = &Read,
                Write = &Write,
                Truncate = &Truncate,
                Sync = &Sync,
                FileSize = &FileSize,
                Lock = &LockFile,
                Unlock = &UnlockFile,
                CheckReserved = &CheckReserved,
                Control = &Control,
                SectorSize = &SectorSize,
                Characteristics = &Characteristics,
                ShmMap = &ShmMap,
                ShmLock = &ShmLock,
                ShmBarrier = &ShmBarrier,
                ShmUnmap = &ShmUnmap,
            };
            var layer = (Layer*)NativeMemory.AllocZeroed((nuint)sizeof(Layer));
            *layer = new Layer
            {
                Version = 2,
                FileSize = sizeof(FileHead),
                PathMax = 256,
                LayerName = Marshal.StringToCoTaskMemUTF8(Name),
                Open = &Open,
                Delete = &Delete,
                Access = &Access,
                FullPath = &FullPath,
                Randomness = &Randomness,
                Sleep = &Sleep,
                CurrentTime = &CurrentTime,
                LastError = &LastError,
                CurrentTimeInt64 = &CurrentTimeInt64,
            };
            if (sqlite3_vfs_register((nint)layer, 0) != Ok) throw new InvalidOperationException("SQLite does not take the simulated file layer.");
            _registered = true;
        }
    }

    [DllImport("libsqlite3.so.0")]
    private static extern int sqlite3_vfs_register(nint layer, int makeDefault);

    private static string Text(byte* utf8) => Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(utf8));

    [UnmanagedCallersOnly]
    private static int Open(nint layer, byte* name, FileHead* file, int flags, int* outFlags)
    {
        file->Methods = null;
        if (name is null) return CannotOpen;
        var path = Text(name);
        if (SimulatedDisk.Of(path) is not { } disk) return CannotOpen;
        var byPath = Opened.GetOrCreateValue(disk);
        if (!byPath.TryGetValue(path, out var others)) byPath.Add(path, others = []);
        var opened = new OpenFile(disk, path, others) { DeletesOnClose = (flags & DeleteOnClose) != 0 };
        file->Handle = GCHandle.ToIntPtr(GCHandle.Alloc(opened));
        file->Methods = _methods;
        if (outFlags is not null) *outFlags = flags;
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int Delete(nint layer, byte* name, int syncFolder)
    {
        var path = Text(name);
        SimulatedDisk.Of(path)!.File(path).Delete(durably: syncFolder != 0);
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int Access(nint layer, byte* name, int what, int* answer)
    {
        var path = Text(name);
        *answer = SimulatedDisk.Of(path)?.File(path).Exists == true ? 1 : 0;
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int FullPath(nint layer, byte* name, int length, byte* into)
    {
        var path = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
        if (path.Length >= length) return CannotOpen;
        path.CopyTo(new Span<byte>(into, length));
        into[path.Length] = 0;
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int Randomness(nint layer, int length, byte* into)
    {
        new Span<byte>(into, length).Fill(7);
        return length;
    }

    [UnmanagedCallersOnly]
    private static int Sleep(nint layer, int micros) => micros;

    [UnmanagedCallersOnly]
    private static int CurrentTime(nint layer, double* days)
    {
        *days = 2461041.5;
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int CurrentTimeInt64(nint layer, long* milliseconds)
    {
        *milliseconds = (long)(2461041.5 * 86_400_000);
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int LastError(nint layer, int length, byte* into) => 0;

    [UnmanagedCallersOnly]
    private static int Close(FileHead* file)
    {
        FileHead.Of(file).Close();
        GCHandle.FromIntPtr(file->Handle).Free();
        file->Methods = null;
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int Read(FileHead* file, byte* into, int length, long offset) => FileHead.Of(file).Read(new Span<byte>(into, length), offset);

    [UnmanagedCallersOnly]
    private static int Write(FileHead* file, byte* bytes, int length, long offset) => FileHead.Of(file).Write(new ReadOnlySpan<byte>(bytes, length), offset);

    [UnmanagedCallersOnly]
    private static int Truncate(FileHead* file, long length) => FileHead.Of(file).Truncate(length);

    [UnmanagedCallersOnly]
    private static int Sync(FileHead* file, int flags) => FileHead.Of(file).Sync();

    [UnmanagedCallersOnly]
    private static int FileSize(FileHead* file, long* length)
    {
        *length = FileHead.Of(file).Length;
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int LockFile(FileHead* file, int level) => FileHead.Of(file).Lock(level);

    [UnmanagedCallersOnly]
    private static int UnlockFile(FileHead* file, int level)
    {
        FileHead.Of(file).Unlock(level);
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int CheckReserved(FileHead* file, int* answer)
    {
        *answer = FileHead.Of(file).IsReserved ? 1 : 0;
        return Ok;
    }

    [UnmanagedCallersOnly]
    private static int Control(FileHead* file, int operation, void* argument) => NotFound;

    [UnmanagedCallersOnly]
    private static int SectorSize(FileHead* file) => 4096;

    [UnmanagedCallersOnly]
    private static int Characteristics(FileHead* file) => PowersafeOverwrite;

    [UnmanagedCallersOnly]
    private static int ShmMap(FileHead* file, int region, int size, int make, nint* into)
    {
        var address = FileHead.Of(file).MapIndex(region, size, make != 0);
        *into = address < 0 ? 0 : address;
        return address < 0 ? IoError : Ok;
    }

    [UnmanagedCallersOnly]
    private static int ShmLock(FileHead* file, int slot, int count, int flags) => FileHead.Of(file).LockIndex(slot, count, flags);

    [UnmanagedCallersOnly]
    private static void ShmBarrier(FileHead* file) => Interlocked.MemoryBarrier();

    [UnmanagedCallersOnly]
    private static int ShmUnmap(FileHead* file, int delete)
    {
        FileHead.Of(file).UnmapIndex();
        return Ok;
    }
}
