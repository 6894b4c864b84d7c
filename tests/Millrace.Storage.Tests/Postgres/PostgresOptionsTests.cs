using Millrace.Storage.Postgres;
using Npgsql;

namespace Millrace.Storage.Tests.Postgres;

public sealed class PostgresOptionsTests
{
    [Theory]
    [InlineData("require", SslMode.Require)]
    [InlineData("verify-ca", SslMode.VerifyCA)]
    [InlineData("verify-full", SslMode.VerifyFull)]
    public void Encryption_is_asked_for_as_libpq_has_it(string mode, SslMode read)
    {
        var settings = Read($"postgres://anna:a%40b@db.example:5433/runs?sslmode={mode}&sslrootcert=%2Fetc%2Fca.pem");

        Assert.Equal((read, "/etc/ca.pem"), (settings.SslMode, settings.RootCertificate));
        Assert.Equal(("db.example", 5433, "runs", "anna", "a@b"), (settings.Host, settings.Port, settings.Database, settings.Username, settings.Password));
    }

    [Theory]
    [InlineData("mysql://db.example/runs", "is named as postgres://")]
    [InlineData("postgres://anna:secret@db.example/runs?sslmode=perhaps", "'sslmode' is no parameter")]
    [InlineData("postgres://anna:secret@db.example/runs?colour=red", "'colour' is no parameter")]
    public void What_is_wrong_is_named_without_the_password(string uri, string said)
    {
        var refused = Assert.Throws<ArgumentException>(() => Read(uri)).Message;

        Assert.Contains(said, refused, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused, StringComparison.Ordinal);
    }

    private static NpgsqlConnectionStringBuilder Read(string uri) => new(PostgresOptions.ConnectionOf(uri));
}
