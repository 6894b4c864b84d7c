using Millrace.Jq;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Tests.Schema;

public sealed class MalformedSchemas
{
    [Theory]
    [InlineData("""{"type":"strin"}""", "/type", "expected one of null, boolean, number, integer, string, array, object, or an array of them; found \"strin\"")]
    [InlineData("""{"type":[]}""", "/type", "expected at least one type")]
    [InlineData("""{"type":["string","str"]}""", "/type/1", "expected one of null, boolean, number, integer, string, array, object; found \"str\"")]
    [InlineData("""{"type":["string","string"]}""", "/type", "expected different types")]
    [InlineData("""{"required":"id"}""", "/required", "expected an array of different strings, found \"id\"")]
    [InlineData("""{"required":["id","id"]}""", "/required", "expected an array of different strings, found an array")]
    [InlineData("""{"minimum":"3"}""", "/minimum", "expected a number, found \"3\"")]
    [InlineData("""{"multipleOf":0}""", "/multipleOf", "expected a number greater than 0, found 0")]
    [InlineData("""{"minLength":-1}""", "/minLength", "expected a whole number that is not negative, found -1")]
    [InlineData("""{"maxItems":1.5}""", "/maxItems", "expected a whole number that is not negative, found 1.5")]
    [InlineData("""{"uniqueItems":1}""", "/uniqueItems", "expected a boolean, found 1")]
    [InlineData("""{"enum":"a"}""", "/enum", "expected an array, found \"a\"")]
    [InlineData("""{"properties":[]}""", "/properties", "expected an object, found an empty array")]
    [InlineData("""{"properties":{"a/b":{"items":3}}}""", "/properties/a~1b/items", "expected a schema (an object or a boolean), found 3")]
    [InlineData("""{"items":[{}]}""", "/items", "expected a schema (an object or a boolean), found an array")]
    [InlineData("""{"allOf":[]}""", "/allOf", "expected an array of at least one schema, found an empty array")]
    [InlineData("""{"anyOf":[true,"x"]}""", "/anyOf/1", "expected a schema (an object or a boolean), found \"x\"")]
    [InlineData("""{"pattern":"(a"}""", "/pattern", "expected a regular expression of ECMA-262: expected ')' (at character 3)")]
    [InlineData("""{"patternProperties":{"[":{}}}""", "/patternProperties/[", "expected a regular expression of ECMA-262 as the name: expected ']' (at character 2)")]
    [InlineData("""{"dependentRequired":{"a":"b"}}""", "/dependentRequired/a", "expected an array of different strings, found \"b\"")]
    [InlineData("""{"format":7}""", "/format", "expected a string, found 7")]
    [InlineData("""{"$anchor":"1a"}""", "/$anchor", "expected a name of letters, digits, '-', '_' and '.' that begins with a letter or '_', found \"1a\"")]
    [InlineData("""{"$id":"#a"}""", "/$id", "expected a URI reference without a fragment, found \"#a\"")]
    [InlineData("""{"$ref":7}""", "/$ref", "expected a URI reference, found 7")]
    [InlineData("""{"properties":{"a":{"$ref":"#/$defs/b"}},"$defs":{}}""", "/properties/a/$ref", "the reference leads nowhere: '/$defs/b' stops at 'b', which does not exist")]
    [InlineData("""{"$ref":"#b"}""", "/$ref", "the reference leads nowhere: there is no anchor 'b'")]
    [InlineData("""{"$ref":"#/title","title":"a"}""", "/$ref", "the reference leads nowhere: what stands at '/title' is no schema")]
    [InlineData("""{"$ref":"https://example.com/a.json"}""", "/$ref", "the reference leads to the document 'https://example.com/a.json', which is not known; documents are not fetched")]
    [InlineData("""{"$dynamicRef":"#b"}""", "/$dynamicRef", "the reference leads nowhere: there is no anchor 'b'")]
    [InlineData("""{"$defs":{"unused":{"type":1}}}""", "/$defs/unused/type", "expected one of null, boolean, number, integer, string, array, object, or an array of them; found 1")]
    [InlineData("""{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}""", "/$defs/b/$anchor", "another schema has the anchor 'x'")]
    [InlineData("""{"$defs":{"a":{"$id":"urn:x"},"b":{"$id":"urn:x"}}}""", "/$defs/b/$id", "another schema has the $id 'urn:x'")]
    [InlineData("""{"$schema":"http://json-schema.org/draft-07/schema#"}""", "/$schema", "expected https://json-schema.org/draft/2020-12/schema or a metaschema that was given; 'http://json-schema.org/draft-07/schema#' is another draft or unknown")]
    [InlineData("3", "", "expected a schema (an object or a boolean), found Number")]
    public void Are_refused_with_their_place_and_what_was_expected(string schema, string pointer, string message)
    {
        var refusal = Assert.Throws<JsonSchemaException>(() => JsonSchema.Compile(JsonText.Parse(schema)));

        Assert.Equal((pointer, message), (refusal.Pointer, refusal.Message));
    }

    [Fact]
    public void In_other_documents_are_placed_by_their_address()
    {
        var documents = new Dictionary<string, Json> { ["https://example.com/a"] = JsonText.Parse("""{"$defs":{"n":{"minimum":"1"}}}""") };

        var refusal = Assert.Throws<JsonSchemaException>(() =>
            JsonSchema.Compile(Json.Object("$ref", "https://example.com/a#/$defs/n"), new() { Documents = documents }));

        Assert.Equal("https://example.com/a#/$defs/n/minimum", refusal.Pointer);
    }

    [Fact]
    public void Of_a_dialect_with_an_unknown_vocabulary_are_refused()
    {
        var documents = new Dictionary<string, Json> { ["urn:meta"] = JsonText.Parse("""{"$vocabulary":{"urn:other":true}}""") };

        var refusal = Assert.Throws<JsonSchemaException>(() => JsonSchema.Compile(Json.Object("$schema", "urn:meta"), new() { Documents = documents }));

        Assert.Equal("/$schema", refusal.Pointer);
        Assert.Contains("urn:other", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>The native checks and the metaschema built from the same table must not drift apart.</summary>
    [Theory]
    [InlineData("""{"type":"strin"}""")]
    [InlineData("""{"required":"id"}""")]
    [InlineData("""{"allOf":[]}""")]
    [InlineData("""{"multipleOf":0}""")]
    [InlineData("""{"properties":{"a":{"items":3}}}""")]
    [InlineData("""{"dependencies":{"a":"b"}}""")]
    [InlineData("""{"pattern":"("}""")]
    public void Are_refused_by_the_metaschema_too(string schema)
    {
        var metaSchema = JsonSchema.Compile(Json.Object("$ref", "https://json-schema.org/draft/2020-12/schema"), new() { AssertFormats = true });

        Assert.False(metaSchema.IsValid(JsonText.Parse(schema)));
        Assert.True(metaSchema.IsValid(JsonText.Parse("""{"$id":"urn:a","properties":{"a":{"type":["string","null"],"minLength":1}}}""")));
    }
}
