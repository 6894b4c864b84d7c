using Millrace.Storage.Bus;

namespace Millrace.Storage.Tests.Bus;

public sealed class RedisOptionsTests
{
    [Fact]
    public void An_address_says_everything()
    {
        var options = RedisOptions.Parse("rediss://default:p%40ss%3Aword@redis.example:6380/2?ca=%2Fetc%2Fca.pem");
        Assert.Equal(("redis.example", 6380, 2, "p@ss:word", true, "/etc/ca.pem"), (options.Host, options.Port, options.Database, options.Password, options.Tls, options.AuthorityFile));
    }

    [Theory]
    [InlineData("redis://localhost")]
    [InlineData("redis://localhost/")]
    [InlineData("redis://localhost:6379/0")]
    public void What_is_not_said_has_its_usual_value(string url)
    {
        var options = RedisOptions.Parse(url);
        Assert.Equal(("localhost", 6379, 0, null, false, null), (options.Host, options.Port, options.Database, options.Password, options.Tls, options.AuthorityFile));
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost:6379")]
    [InlineData("http://localhost")]
    [InlineData("redis://:secret@")]
    [InlineData("redis://:secret@localhost/one")]
    [InlineData("redis://:secret@localhost/-1")]
    [InlineData("redis://alice:secret@localhost")]
    [InlineData("redis://:secret@localhost?ca=x")]
    [InlineData("rediss://:secret@localhost?ca=x&verify=no")]
    public void A_mistake_is_named_without_the_password(string url) =>
        Assert.DoesNotContain("secret", Assert.Throws<FormatException>(() => RedisOptions.Parse(url)).Message, StringComparison.Ordinal);
}
