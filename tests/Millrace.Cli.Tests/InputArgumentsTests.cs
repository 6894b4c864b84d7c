using Millrace.Cli.Inputs;
using Millrace.Jq;

namespace Millrace.Cli.Tests;

public sealed class InputArgumentsTests
{
    private static Json? Read(string? whole, params string[] members) => InputArguments.Read(whole, members, new StringReader("""{"from": "stdin"}"""));

    [Theory]
    [InlineData("a=5", """{"a":5}""")]
    [InlineData("a=true", """{"a":true}""")]
    [InlineData("a=[1,2]", """{"a":[1,2]}""")]
    [InlineData("a=text", """{"a":"text"}""")]
    [InlineData("a=", """{"a":""}""")]
    [InlineData("a=b=c", """{"a":"b=c"}""")]
    [InlineData("a=\"5\"", """{"a":"5"}""")]
    [InlineData("a=1.2.3", """{"a":"1.2.3"}""")]
    [InlineData("a={b", """{"a":"{b"}""")]
    public void A_value_is_json_when_it_parses_and_text_otherwise(string member, string expected) =>
        Assert.Equal(expected, Read(null, member).ToString());

    [Fact]
    public void Members_are_set_on_top_of_the_whole_input() =>
        Assert.Equal("""{"a":1,"b":3}""", Read("""{"a":1,"b":2}""", "b=3").ToString());

    [Fact]
    public void The_whole_input_comes_from_the_standard_input() => Assert.Equal("""{"from":"stdin"}""", Read("-").ToString());

    [Fact]
    public void A_path_is_taken_from_the_folder_it_was_typed_in()
    {
        var schema = JsonText.Parse("""{"properties": {"file": {"type": "string", "format": "path"}, "text": {"type": "string"}}}""");
        string[] members = ["file=a/../b.csv", "text=."];
        var input = InputArguments.WithAbsolutePaths(Read(null, members)!.Value, members, schema);
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "b.csv"), input["file"].AsString());
        Assert.Equal(".", input["text"].AsString());
    }

    [Fact]
    public void Without_any_input_there_is_none() => Assert.Null(Read(null));

    [Theory]
    [InlineData("{", "--input is no JSON, line 1")]
    [InlineData("@no/such/file.json", "There is no file no/such/file.json")]
    public void A_wrong_whole_input_is_refused_and_located(string whole, string said) =>
        Assert.Contains(said, Assert.Throws<UsageException>(() => Read(whole)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_member_without_an_equals_sign_is_refused() =>
        Assert.Contains("'a' is no input", Assert.Throws<UsageException>(() => Read(null, "a")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_member_given_twice_is_refused() =>
        Assert.Contains("'a' is given twice", Assert.Throws<UsageException>(() => Read(null, "a=1", "a=2")).Message, StringComparison.Ordinal);

    [Fact]
    public void Members_have_nothing_to_set_in_an_input_that_is_no_object() =>
        Assert.Contains("no JSON object", Assert.Throws<UsageException>(() => Read("[1]", "a=1")).Message, StringComparison.Ordinal);
}
