//! Pages: how many rows, and the token of the next page.
//!
//! A token holds where the next page begins and a print of everything else that was asked, so
//! that it is refused beside other parameters.

use super::Error;

/// How many rows a page of this list has.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// When the reader does not say.
    pub usual: usize,
    /// At most; more is taken for this.
    pub most: usize,
}

impl Sizes {
    /// Reads `pageSize`. Nothing and zero mean the usual size.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: no whole number, or a negative one.
    pub fn read(self, text: Option<&str>) -> Result<usize, Error> {
        let refusal = || Error::invalid("page_size must be a whole number of 0 or more");
        match text.map(str::parse::<i64>) {
            None | Some(Ok(0)) => Ok(self.usual),
            Some(Ok(size)) => {
                let size = usize::try_from(size).map_err(|_| refusal())?;
                Ok(size.min(self.most))
            }
            Some(Err(_)) => Err(refusal()),
        }
    }
}

/// The token of the page that begins at `cursor` of the list that `asked` describes.
#[must_use]
pub fn token(cursor: &str, asked: &[&str]) -> String {
    format!("{:016x}.{cursor}", print(asked))
}

/// The cursor of a token.
///
/// # Errors
/// `INVALID_ARGUMENT`: not a token, or the token of another list.
pub fn cursor<'t>(token: &'t str, asked: &[&str]) -> Result<&'t str, Error> {
    let refusal = || {
        Error::invalid(
            "invalid page_token: take the next_page_token of the page before, and leave the \
             other parameters as they were",
        )
    };
    let (print, cursor) = token.split_once('.').ok_or_else(refusal)?;
    let is_own = print == format!("{:016x}", self::print(asked));
    if is_own { Ok(cursor) } else { Err(refusal()) }
}

/// FNV-1a: a token is no secret, it only has to tell parameters apart.
fn print(asked: &[&str]) -> u64 {
    let bytes = asked.iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |print, byte| {
        (print ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_the_same_list_only() {
        let token = token("w.7", &["filter", "order"]);
        assert_eq!(cursor(&token, &["filter", "order"]).unwrap(), "w.7");
        for asked in [&["filter", ""][..], &["filterorder", ""], &[]] {
            assert!(cursor(&token, asked).is_err());
        }
        assert!(cursor("", &[]).is_err() && cursor("x", &[]).is_err());
    }

    #[test]
    fn sizes_are_cut_and_never_negative() {
        let sizes = Sizes { usual: 20, most: 100 };
        assert_eq!(sizes.read(None).unwrap(), 20);
        assert_eq!(sizes.read(Some("0")).unwrap(), 20);
        assert_eq!(sizes.read(Some("7")).unwrap(), 7);
        assert_eq!(sizes.read(Some("1000")).unwrap(), 100);
        assert!(sizes.read(Some("-1")).is_err() && sizes.read(Some("x")).is_err());
    }
}
