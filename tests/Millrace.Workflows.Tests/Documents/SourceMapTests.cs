using Millrace.Workflows.Documents;

namespace Millrace.Workflows.Tests.Documents;

public sealed class SourceMapTests
{
    /// <summary>The marker in the source is found again through its place in the value read.</summary>
    [Theory]
    [InlineData("x: plain @ text\n")]
    [InlineData("x: plain that goes\n   on here @ and\n\n   there\n")]
    [InlineData("x: plain that goes\n   on here and\n\n   there @ now\n")]
    [InlineData("x: 'single ''quoted'' @ text'\n")]
    [InlineData("x: 'single ''quoted''\n\n   over @ lines'\n")]
    [InlineData("x: \"double \\\"quoted\\\" \\u00e9 \\U0001F600 \\x41 @ text\"\n")]
    [InlineData("x: \"double\\\n   joined   \n   and folded @ text\"\n")]
    [InlineData("x: |\n  literal\n    block @ of text\n")]
    [InlineData("x: |+\n\n  literal\n\n  block\n  @ of text\n\n")]
    [InlineData("x: |2\n    literal @ indented\n")]
    [InlineData("x: &anchor !!str 'with @ properties'\n")]
    [InlineData("x:\n  - y: 'deep @ down'\n")]
    [InlineData("{\"x\": \"json \\/ \\n @ text\"}")]
    public void The_place_of_a_character_is_found_through_quotes_folds_and_escapes(string source)
    {
        var (value, map) = DocumentReader.Read(source);
        var (pointer, text) = value["x"].IsString ? ("/x", value["x"].AsString()) : ("/x/0/y", value["x"][0]["y"].AsString());

        var mark = map.Inside(pointer, text.IndexOf('@'));

        Assert.Equal('@', source.Split('\n')[mark.Line - 1][mark.Column - 1]);
    }

    [Fact]
    public void What_stands_nowhere_is_located_at_its_nearest_ancestor()
    {
        var (_, map) = DocumentReader.Read("a:\n  b: 1\n");
        Assert.Equal((2, 3), (map.Value("/a/c/d").Line, map.Value("/a/c/d").Column));
        Assert.Equal((1, 1), (map.Key("/a/c").Line, map.Key("/a/c").Column));
        Assert.Equal((1, 1), (map.Value("").Line, map.Value("").Column));
    }
}
