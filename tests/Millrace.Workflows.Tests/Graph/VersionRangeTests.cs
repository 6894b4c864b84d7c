using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Tests.Graph;

public sealed class VersionRangeTests
{
    [Theory]
    [InlineData("^1.2", "1.2.0 1.2.7 1.9.0", "1.1.9 2.0.0")]
    [InlineData("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0")]
    [InlineData("^0.0.3", "0.0.3", "0.0.4")]
    [InlineData("^0", "0.0.0 0.9.9", "1.0.0")]
    [InlineData("~1.2", "1.2.0 1.2.9", "1.3.0")]
    [InlineData("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0")]
    [InlineData("~1", "1.0.0 1.9.9", "2.0.0")]
    [InlineData("1.x", "1.0.0 1.9.9", "0.9.9 2.0.0")]
    [InlineData("1.2", "1.2.0 1.2.9", "1.3.0")]
    [InlineData("*", "0.0.1 99.0.0", "1.0.0-rc.1")]
    [InlineData(">=1 <2", "1.0.0 1.9.9", "0.9.9 2.0.0")]
    [InlineData("> 1.2", "1.3.0 2.0.0", "1.2.9")]
    [InlineData("<=1.2", "0.1.0 1.2.9", "1.3.0")]
    [InlineData("=1.2.3", "1.2.3", "1.2.4")]
    public void A_range_takes_the_versions_inside_and_no_others(string range, string inside, string outside)
    {
        var parsed = VersionRange.Parse(range)!;
        Assert.All(inside.Split(' '), v => Assert.True(parsed.Accepts(v), v));
        Assert.All(outside.Split(' '), v => Assert.False(parsed.Accepts(v), v));
    }

    [Theory]
    [InlineData("")]
    [InlineData("one")]
    [InlineData("^1.2.3.4")]
    [InlineData(">=")]
    [InlineData("1.2 || 1.4")]
    [InlineData("01.2")]
    [InlineData("^1.2.3-rc.1")]
    [InlineData("99999999999999999999.0")]
    public void Text_that_is_no_range_is_none(string text) => Assert.Null(VersionRange.Parse(text));
}
