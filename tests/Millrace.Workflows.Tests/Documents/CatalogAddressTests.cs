using Millrace.Workflows.Documents;

namespace Millrace.Workflows.Tests.Documents;

public sealed class CatalogAddressTests
{
    [Theory]
    [InlineData("https://github.com/serverlessworkflow/catalog/tree/main", "https://raw.githubusercontent.com/serverlessworkflow/catalog/main/functions/log/1.0.0/function.yaml")]
    [InlineData("https://github.com/serverlessworkflow/catalog", "https://raw.githubusercontent.com/serverlessworkflow/catalog/refs/heads/main/functions/log/1.0.0/function.yaml")]
    [InlineData("https://github.com/o/r.git", "https://raw.githubusercontent.com/o/r/refs/heads/main/functions/log/1.0.0/function.yaml")]
    [InlineData("https://github.com/o/r/tree/next/sub/folder/", "https://raw.githubusercontent.com/o/r/next/sub/folder/functions/log/1.0.0/function.yaml")]
    [InlineData("https://github.com/o/r/tree/v1.2.0", "https://raw.githubusercontent.com/o/r/v1.2.0/functions/log/1.0.0/function.yaml")]
    [InlineData("https://gitlab.com/o/r", "https://gitlab.com/o/r/-/raw/main/functions/log/1.0.0/function.yaml")]
    [InlineData("https://gitlab.com/group/sub/r/-/tree/dev/x", "https://gitlab.com/group/sub/r/-/raw/dev/x/functions/log/1.0.0/function.yaml")]
    [InlineData("https://git.example.com/o/r/-/tree/main", "https://git.example.com/o/r/-/raw/main/functions/log/1.0.0/function.yaml")]
    [InlineData("https://example.com/catalog/", "https://example.com/catalog/functions/log/1.0.0/function.yaml")]
    [InlineData("file:///srv/catalog", "file:///srv/catalog/functions/log/1.0.0/function.yaml")]
    public void A_function_stands_in_its_catalog_under_its_name_and_version(string catalog, string address) =>
        Assert.Equal(address, CatalogAddress.Of(catalog, "log", "1.0.0"));

    [Theory]
    [InlineData("https://github.com/myorg/functions/validateEmailAddress@v1.0.0", "https://raw.githubusercontent.com/myorg/functions/refs/tags/v1.0.0/validateEmailAddress/function.yaml")]
    [InlineData("https://github.com/myorg/functions/tree/main/validate", "https://raw.githubusercontent.com/myorg/functions/main/validate/function.yaml")]
    [InlineData("https://example.com/functions/validate@1.0.0", "https://example.com/functions/validate/1.0.0/function.yaml")]
    [InlineData("https://example.com/functions/validate", "https://example.com/functions/validate/function.yaml")]
    [InlineData("https://example.com/functions/validate.yaml", "https://example.com/functions/validate.yaml")]
    [InlineData("https://github.com/o/r/blob/main/f/own.yml", "https://raw.githubusercontent.com/o/r/main/f/own.yml")]
    public void A_function_named_by_its_url_is_found_there(string call, string address) =>
        Assert.Equal(address, CatalogAddress.Of(call));
}
