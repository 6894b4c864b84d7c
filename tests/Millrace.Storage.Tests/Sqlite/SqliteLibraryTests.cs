using Millrace.Storage.Sqlite;

namespace Millrace.Storage.Tests.Sqlite;

public sealed class SqliteLibraryTests
{
    [Fact]
    public void The_first_library_that_is_there_is_taken()
    {
        var tried = new List<string>();

        bool TryLoad(string name, out nint handle)
        {
            tried.Add(name);
            handle = 42;
            return name == "second";
        }

        Assert.Equal(42, SqliteLibrary.Load(["first", "second", "third"], TryLoad));
        Assert.Equal(["first", "second"], tried);
    }

    [Fact]
    public void Without_a_library_the_error_says_what_to_install()
    {
        static bool Missing(string name, out nint handle)
        {
            handle = 0;
            return false;
        }

        var error = Assert.Throws<DllNotFoundException>(() => SqliteLibrary.Load(["libsqlite3.so.0"], Missing));
        Assert.Contains("libsqlite3-0", error.Message, StringComparison.Ordinal);
        Assert.Contains("tried libsqlite3.so.0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_before_3_40_is_refused()
    {
        SqliteLibrary.RefuseOld(3_040_000, "3.40.0");
        Assert.Contains("3.39.4 is too old", Assert.Throws<DllNotFoundException>(() => SqliteLibrary.RefuseOld(3_039_004, "3.39.4")).Message, StringComparison.Ordinal);
    }
}
