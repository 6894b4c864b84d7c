using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Millrace.Storage.Sqlite;

/// <summary>
/// Binds SQLitePCLRaw to the system's SQLite. The package's own native library is 3.35.5: it lacks STRICT tables and `->>`, and
/// waits for locks in whole seconds, so it is never used.
/// </summary>
internal static class SqliteLibrary
{
    /// <summary>SQLITE_CONFIG_MEMSTATUS of sqlite3.h.</summary>
    private const int ConfigMemoryStatus = 9;

    private const string Expected = "e_sqlite3";
    private const int OldestNumber = 3_040_000;

    private static readonly Lock Gate = new();
    private static bool _bound;

    public static void Bind()
    {
        lock (Gate)
        {
            if (_bound) return;
            var handle = Load(Names(), NativeLibrary.TryLoad);
            NativeLibrary.SetDllImportResolver(
                typeof(SQLite3Provider_e_sqlite3).Assembly, (name, _, _) => name == Expected ? handle : 0);
            raw.SetProvider(new SQLite3Provider_e_sqlite3());
            // Counting every allocation under a lock costs more than it tells; refused (not an error) once SQLite has been used.
            _ = raw.sqlite3_config(ConfigMemoryStatus, 0);
            RefuseOld(raw.sqlite3_libversion_number(), raw.sqlite3_libversion().utf8_to_string());
            _bound = true;
        }
    }

    internal delegate bool TryLoad(string name, out nint handle);

    internal static nint Load(IReadOnlyList<string> names, TryLoad tryLoad)
    {
        foreach (var name in names)
        {
            if (tryLoad(name, out var handle)) return handle;
        }

        throw new DllNotFoundException(
            $"The system's SQLite library was not found (tried {string.Join(", ", names)}). "
            + "Install it: Debian and Ubuntu `apt install libsqlite3-0`, Fedora `dnf install sqlite-libs`, Alpine `apk add sqlite-libs`.");
    }

    internal static void RefuseOld(int number, string version)
    {
        if (number < OldestNumber) throw new DllNotFoundException($"SQLite {version} is too old: 3.40 or later is needed.");
    }

    private static string[] Names()
    {
        if (OperatingSystem.IsWindows()) return ["winsqlite3", "sqlite3"];
        if (OperatingSystem.IsMacOS())
            return ["libsqlite3.dylib", "/usr/lib/libsqlite3.dylib", "/opt/homebrew/opt/sqlite/lib/libsqlite3.dylib"];
        return ["libsqlite3.so.0", "libsqlite3.so"];
    }
}
